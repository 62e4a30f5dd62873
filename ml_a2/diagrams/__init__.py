"""Pictures that are made from a synthesized template and from what its execution did."""
