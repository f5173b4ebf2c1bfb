"""The screens, one file each: what is on them and what their keys do; what is shown is drawn in `drawing`."""
