"""What the container tells apart when training fails: the caller's mistake, and the algorithm's refusal.

They are named as in the container, since a failure's traceback shows the name.
"""


class ImageError(Exception):
    """An error that the container raises itself; `caused_by` is named at the message's end."""

    def __init__(self, message: str, caused_by: Exception | None = None) -> None:
        """Append what caused it."""
        suffix = f" (caused by {type(caused_by).__name__})" if caused_by else ""
        super().__init__(message + suffix)


class UserError(ImageError):
    """A request or data that the container refuses."""


class AlgorithmError(ImageError):
    """A combination that XGBoost itself refuses, or one that the container's checks did not foresee."""
