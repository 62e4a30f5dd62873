"""A person's data before it is a channel."""
