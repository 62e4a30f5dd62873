"""The same work done otherwise, in an environment of its own."""
