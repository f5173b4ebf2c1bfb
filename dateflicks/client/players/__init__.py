"""What plays the film, behind one protocol: mpv, a player steered by hand, a simulated one, and none at all."""
