"""The collection of videos: what is kept of each offer and each work, how offers become works, what leaves and when."""
