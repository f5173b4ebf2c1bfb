"""Hints from process to process, and the one clock of a deployment; what is lost of either is found elsewhere."""
