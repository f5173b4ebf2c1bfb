"""What parts of screens look like, as styled text for a width; pure, without Textual."""
