"""What people did with films as numbers, and what follows from numbers for lists: no clock, no I/O, no arrays."""
