"""The Security Token Service: who one is, and the roles that the CDK CLI takes on; moto answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from ml_a2.local.cloudformation.bootstrap import assumable_roles
from ml_a2.local.edge.refusal import RequestError
from ml_a2.local.edge.validation import read_form
from ml_a2.local.template import Environment

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class SecurityTokens:
    """Lets through what stays true: what a person calls is not restricted by a role's policies here."""

    def __init__(
        self, environment: Environment, engine: Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]
    ) -> None:
        """Take what answers."""
        self._roles = assumable_roles(environment)
        self._engine = engine

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        form = read_form(environ)
        if problem := self._problem(form.get("Action", ""), form.get("RoleArn", "")):
            raise RequestError(HTTPStatus.FORBIDDEN, "AccessDenied", problem)
        return self._engine(environ, start_response)

    def _problem(self, action: str, role: str) -> str | None:
        if action == "GetCallerIdentity" or (action == "AssumeRole" and role in self._roles):
            return None
        what = f"AssumeRole of {role!r}" if action == "AssumeRole" else action
        return f"{what} is not supported locally, only GetCallerIdentity and AssumeRole of the CDK's bootstrap roles"
