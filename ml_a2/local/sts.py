"""The Security Token Service: who one is, and the roles that the CDK CLI takes on; moto answers."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from ml_a2.local.cloudformation.bootstrap import assumable_roles
from ml_a2.local.cloudformation.protocol import answer_xml, error_document
from ml_a2.local.sagemaker.protocol import LARGEST_REQUEST_BYTES
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
        length = min(int(environ.get("CONTENT_LENGTH") or 0), LARGEST_REQUEST_BYTES)
        body = environ["wsgi.input"].read(length)
        environ["wsgi.input"] = io.BytesIO(body)
        form = dict(parse_qsl(body.decode(errors="replace")))
        if problem := self._problem(form.get("Action", ""), form.get("RoleArn", "")):
            return answer_xml(start_response, HTTPStatus.FORBIDDEN, error_document("AccessDenied", problem))
        return self._engine(environ, start_response)

    def _problem(self, action: str, role: str) -> str | None:
        if action == "GetCallerIdentity" or (action == "AssumeRole" and role in self._roles):
            return None
        what = f"AssumeRole of {role!r}" if action == "AssumeRole" else action
        return f"{what} is not supported locally, only GetCallerIdentity and AssumeRole of the CDK's bootstrap roles"
