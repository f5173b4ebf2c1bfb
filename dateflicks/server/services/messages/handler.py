"""The rules of the messages service."""
