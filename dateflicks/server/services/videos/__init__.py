"""The videos service: what there is to watch, searched and browsed; it reads the collection and never fills it."""
