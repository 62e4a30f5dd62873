"""A training of two rounds on the first rows, and its evaluation: what only XGBoost or the evaluation refuses."""
