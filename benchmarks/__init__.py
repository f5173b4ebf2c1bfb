"""Figures that anybody can measure again: each module beside this one is a command, `python -m benchmarks.NAME`."""
