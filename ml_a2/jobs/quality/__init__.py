"""How good a model is: metrics, their intervals, slices and curves; plain Python 3.8 for the scikit-learn image.

It travels beside evaluate.py, which imports it as a folder of its own; so these modules name each other relatively.
"""
