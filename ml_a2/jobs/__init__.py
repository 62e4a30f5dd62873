"""What runs in containers: standalone files, with nothing of ours imported."""
