"""Two terminal clients without terminals, on real services: keys go in, and what stands on the screens is read."""
