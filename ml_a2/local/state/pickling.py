"""The endpoint's state as bytes, and back: a pickle of nothing but the classes listed here.

A pickle can name any function to be called when it is read. This one is read with an allow list, and what is written is
held to the same list, so that nothing is kept that could not be read again.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Mapping
from types import BuiltinFunctionType, FunctionType
from typing import Any

from ml_a2.errors import PlatformError, UserError

# What has a way of its own into a pickle: the type, and what it is made of again.
Reducers = Mapping[type, Callable[[Any], tuple[Callable[..., Any], tuple[Any, ...]]]]

# Modules of which every class may be there that they define: it holds data, and to run its constructor is harmless.
MODULES = frozenset(
    {
        "moto.cloudwatch.models",
        "moto.events.models",
        "moto.iam.models",
        "moto.logs.metric_filters",
        "moto.logs.models",
        "moto.s3.models",
        "moto.s3.utils",
        "moto.sns.models",
        "moto.sns.utils",
        "moto.sqs.models",
        "moto.stepfunctions.models",
        "moto.stepfunctions.parser.api",
        "moto.stepfunctions.parser.backend.execution",
        "moto.sts.models",
        "moto.utilities.tagging_service",
        "moto.utilities.utils",
        "ml_a2.local.cloudformation.stack",
        "ml_a2.local.deployer",
        "ml_a2.local.resources",
        "ml_a2.local.sagemaker.ended_job",
        "ml_a2.local.sagemaker.model_packages",
        "ml_a2.local.template",
    }
)
NAMES = frozenset(
    {
        ("builtins", "bytearray"),
        ("builtins", "frozenset"),
        ("builtins", "set"),
        ("collections", "OrderedDict"),
        ("collections", "defaultdict"),
        ("collections", "deque"),
        ("datetime", "date"),
        ("datetime", "datetime"),
        ("datetime", "timedelta"),
        ("datetime", "timezone"),
        ("ml_a2.local.objects.value", "revive"),
        ("ml_a2.local.state.executions", "revive"),
        ("ml_a2.local.state.backends", "store"),
        ("ml_a2.local.state.backends", "versions"),
        ("re", "_compile"),
        ("requests.structures", "CaseInsensitiveDict"),
        ("threading", "Condition"),
    }
)


def dumps(state: Any, reducers: Reducers) -> bytes:
    """Write a state, with reducers for the types that cannot be written by themselves.

    Raises:
        PlatformError: something in it is not on the list.
    """
    target = io.BytesIO()
    _Writer(target, reducers).dump(state)
    return target.getvalue()


def loads(payload: bytes, subject: str) -> Any:
    """Read a state; the subject is where it comes from.

    Raises:
        UserError: it names what is not on the list, or is no state.
    """
    try:
        return _Reader(io.BytesIO(payload)).load()
    except UserError as error:
        raise UserError(f"{subject}: {error}") from error
    except Exception as error:
        told = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise UserError(f"{subject} is damaged: {told}; nothing of it was used, choose a new --state DIR") from error


class _Writer(pickle.Pickler):
    def __init__(self, target: io.BytesIO, reducers: Reducers) -> None:
        super().__init__(target, protocol=5)
        self._reducers = reducers

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, type | FunctionType | BuiltinFunctionType):
            if not _is_allowed(obj.__module__, obj.__qualname__, obj):
                raise PlatformError(
                    f"the state cannot be kept: {obj.__module__}.{obj.__qualname__} is in it, which is not known to be "
                    "safe; see docs/fidelity.md"
                )
            return NotImplemented
        reduce = self._reducers.get(type(obj))
        return reduce(obj) if reduce else NotImplemented


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in NAMES or module in MODULES:
            found = super().find_class(module, name)
            if _is_allowed(module, name, found):
                return found
        raise UserError(f"{module}.{name} is named in it, which no state has; it was not made by ml-a2, do not use it")


def _is_allowed(module: str, name: str, found: Any) -> bool:
    """Tell whether a class or function may be there; one that a module only imported is not that module's."""
    if (module, name) in NAMES:
        return True
    return module in MODULES and isinstance(found, type) and (found.__module__, found.__qualname__) == (module, name)
