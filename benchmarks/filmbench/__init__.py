"""What the benches of the collection share: films that nobody has made, plain calls, and how figures are shown."""
