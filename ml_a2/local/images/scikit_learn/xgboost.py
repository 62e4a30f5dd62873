"""What `import xgboost` finds in the scikit-learn image: nothing. It stands before the packages of this Python."""

raise ModuleNotFoundError("No module named 'xgboost'", name="xgboost")
