"""The prediction service: what people bet on, sealed until the lock, settled by both, scored."""
