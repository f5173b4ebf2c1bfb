"""What people notice when something breaks: real services, a real Redis, and people with the real client library."""
