"""What is kept of executions: written down, read again, compared, and repeated from."""
