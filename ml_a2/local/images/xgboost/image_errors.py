"""What the container tells apart when training fails: the caller's mistake, and the algorithm's refusal."""


class ImageUserError(Exception):
    """A request or data that the container refuses: its UserError."""


class ImageAlgorithmError(Exception):
    """A combination that XGBoost itself refuses: the container's AlgorithmError."""
