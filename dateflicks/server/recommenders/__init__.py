"""Algorithms that say what to watch next, and whatever runs, measures and compares them; nothing public imports it."""
