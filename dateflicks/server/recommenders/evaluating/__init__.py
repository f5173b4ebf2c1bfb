"""How good a recommender is on data of which the end is held back: reading it, splitting it, and what comes out."""
