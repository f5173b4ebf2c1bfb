"""Settings: typed structs per service, and the loader that says where each value came from."""
