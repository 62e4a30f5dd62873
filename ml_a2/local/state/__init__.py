"""What of the endpoint survives its end: a folder, what is written into it, and when."""
