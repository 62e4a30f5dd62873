"""Every patch of moto, the embedded engine, in one place: each with its reason and a check that it still fits.

moto is pinned exactly; none of what is replaced here is public API. `apply` may be called again: a later call
replaces what the patches do, not the patches.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import moto

import ml_a2.local.engine  # noqa: F401  # before the modules below, which import all of it
from ml_a2.local.patches import comparisons, executions, functions, interpreter, objects, services, timing
from ml_a2.local.patches.active import Active, Call, HttpDelivery, Publication, StatusListener, activate, current
from ml_a2.local.patches.clock import Time

MOTO_VERSION = "5.2.5"

_applied = False


def apply(
    call: Call,
    speed: float,
    listen: StatusListener,
    post: HttpDelivery,
    *,
    published: Publication = lambda *_: None,
    time: Time | None = None,
) -> None:
    """Let state machines make their calls through `call`, and wait `speed` times shorter than they say.

    `listen` hears of every execution that starts or ends, `post` brings what topics send to HTTP endpoints, and
    `published` hears of what they send. Their pauses are of the `time`, the real one without it.
    """
    put_in_place()
    activate(Active(call, speed, listen, post, published, time or Time()))


def put_in_place() -> None:
    """Replace what is replaced, once a process; nothing of it runs before `apply` says what it is to do."""
    global _applied
    if not _applied:
        _patch()
        _applied = True


def expire(execution_arn: str, backend: Any) -> None:
    """Let the time of an execution run out now."""
    backend.describe_execution(execution_arn).exec_worker.env.set_timed_out()


def job_changed(description: Mapping[str, Any]) -> None:
    """Let executions that wait for a job go on when it has ended."""
    current().waits.changed(description)


def _patch() -> None:
    if moto.__version__ != MOTO_VERSION:
        raise RuntimeError(f"the patches are written for moto {MOTO_VERSION}, not {moto.__version__}")
    for patch in (
        *interpreter.PATCHES,
        *comparisons.PATCHES,
        *functions.PATCHES,
        *timing.PATCHES,
        *services.PATCHES,
        *objects.PATCHES,
        *executions.PATCHES,
    ):
        patch()
