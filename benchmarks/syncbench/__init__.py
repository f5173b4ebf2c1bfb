"""The parts of `benchmarks/sync.py`: two real players under one observer, whatever the line between them."""
