"""The tests mirror ml_a2; e2e/ runs the public command."""
