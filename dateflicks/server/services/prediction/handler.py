"""The rules of the prediction service."""
