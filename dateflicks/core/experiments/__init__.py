"""Who sees which variant, decided from names alone: no clock, no chance, and no table of who got what."""
