"""The recommendation service: what to watch next, for one and for two, why, and what became of it."""
