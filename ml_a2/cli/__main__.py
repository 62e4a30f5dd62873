"""`python -m ml_a2.cli` is `ml-a2`."""

from ml_a2.cli import main

if __name__ == "__main__":
    main(prog_name="ml-a2")
