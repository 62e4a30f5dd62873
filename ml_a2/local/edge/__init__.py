"""One loopback port: what is answered, what is refused, and in whose words."""
