"""Stand-in for the built-in XGBoost image, version 1.7-1: `python -m ml_a2.local.images.xgboost train`."""
