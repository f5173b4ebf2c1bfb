"""What happens by itself: jobs that the settings declare, each run a process of its own, apart on all machines."""
