"""The rules, pure: no clock, no I/O, no framework; the standard library alone."""
