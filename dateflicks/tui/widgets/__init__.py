"""Parts of screens that are drawn or typed into, and what they are made of; none knows a service."""
