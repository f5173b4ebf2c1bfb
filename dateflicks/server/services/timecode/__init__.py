"""The timecode service: the one timeline of each session, told to all and kept."""
