"""What this Python has and the scikit-learn image has not: modules that take its place and are not there."""
