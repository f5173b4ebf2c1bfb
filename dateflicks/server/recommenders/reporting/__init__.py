"""What experiments have shown so far: counts, whether the split held, intervals that may be looked at every day."""
