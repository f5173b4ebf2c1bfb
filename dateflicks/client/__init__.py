"""The client library: all that a program needs to take part in an evening; it prints nothing and reads no settings."""
