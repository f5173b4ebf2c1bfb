"""Where videos come from: what a source is, how one is found, what it may do, and who writes what it yields."""
