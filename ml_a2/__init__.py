"""A training and evaluation pipeline for tabular models on AWS, executed on the laptop from the template it deploys."""

__version__ = "0.1.0"
