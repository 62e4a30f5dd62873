"""The exception tree: who can mend it decides the class.

PipelineError
├── UserError          the person's input, settings or request; exit status 2
│   ├── DataError      a data file: names file, column and row
│   ├── HyperparameterError  one that the algorithm would refuse
│   ├── SettingsError  a settings key: names key, value and what is allowed
│   └── AssemblyError  a cloud assembly that cannot be deployed as it is
└── PlatformError      the machine or the service; exit status 1

Bugs stay ordinary exceptions and show their traceback.
"""


class PipelineError(Exception):
    """Base of every error that is told to a person in one line."""


class UserError(PipelineError):
    """Something that the person who called can mend."""


class DataError(UserError):
    """A data file that cannot be trained on or evaluated with."""


class HyperparameterError(UserError):
    """A hyperparameter that the algorithm does not know, or would refuse."""


class SettingsError(UserError):
    """A setting that is unknown, malformed or out of range."""


class AssemblyError(UserError):
    """A cloud assembly whose template cannot be deployed faithfully."""


class PlatformError(PipelineError):
    """The machine or a service did not do its part."""
