"""What travels between clients and services, and how other people's text is cleaned; who speaks it is elsewhere."""
