"""What the parts of the watch screen look like, as styled text for a width; pure, without Textual."""
