"""What the commands for a deployed stack share: how it is found, and how the next command names it again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ml_a2 import contract
from ml_a2.cli.beginning import say_to_a_terminal

if TYPE_CHECKING:
    from ml_a2.account import Account
    from ml_a2.client import Pipeline

WHERE = """Credentials and region come from the standard AWS environment variables and files; the buckets and the
state machine are found by the stack's outputs."""
STATUSES = """Exit status: 0 done, 1 AWS refused it or could not be reached, 2 wrong usage, input or credentials,
130 interrupted."""


@contextmanager
def deployed_pipeline(*, stack: str | None, **account: str | None) -> Iterator[Pipeline]:
    """Find a deployed stack, and tell what AWS refuses in one line."""
    with deployed_stack(stack=stack, **account) as (session, outputs):
        from ml_a2.client import Pipeline

        yield Pipeline(session, outputs)


@contextmanager
def deployed_stack(*, stack: str | None, **account: str | None) -> Iterator[tuple[Account, dict[str, str]]]:
    """Find a deployed stack as the clients of its services and its outputs; tell what AWS refuses in one line."""
    say_to_a_terminal(f"looking for {stack or contract.STACK_NAME}")
    from ml_a2.account import Account, aws_errors

    with aws_errors():
        session = Account(**account)
        yield session, session.outputs(stack or contract.STACK_NAME)


def following_command(command: str, name: str, account: Mapping[str, str | None]) -> str:
    """Return a command for an execution of the same account."""
    return f"ml-a2 {command} {shlex.quote(name)}{same_account(account)}"


def same_account(account: Mapping[str, str | None]) -> str:
    """Return the options that name the same account, for the next command."""
    return "".join(f" --{name.replace('_', '-')} {shlex.quote(value)}" for name, value in account.items() if value)
