"""What comes from others, made up by the million: whatever it is, nothing fails, nothing grows, nothing harms.

`targets.py` says what is tried and what must hold, `guided.py` has coverage lead the way (atheris), `mutating.py` goes
without it, `sequences.py` plays evenings out of order on a real server. `make fuzz` runs all of them for half an hour.
"""
