"""What is kept of recommendations: used by the recommenders that write it and by the service that reads it."""
