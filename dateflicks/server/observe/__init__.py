"""What can be seen of a running service: logs without secrets, metrics, how late its event loop is."""
