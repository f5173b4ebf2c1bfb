"""Many pairs on one server: what they do, in processes of their own, and what the server pays for it."""
