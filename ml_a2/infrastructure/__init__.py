"""The constructs of the stack: the only place, with stack.py, that imports aws_cdk."""
