"""An endpoint between a client and the real one, which now and then refuses a call."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PASSED_ON = ("Content-Type", "X-Amz-Target", "Authorization", "X-Amz-Date")


@contextmanager
def unreliable(url: str, operation: str, refusals: list[str | None]) -> Iterator[str]:
    """Pass calls on to an endpoint; those of one operation are refused with the codes that are not None, in turn."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            called = self.headers.get("X-Amz-Target", "").endswith(f".{operation}")
            if code := refusals.pop(0) if called and refusals else None:
                self._answer(400, json.dumps({"__type": code, "message": "in a test"}).encode())
                return
            headers = {name: self.headers[name] for name in PASSED_ON if name in self.headers}
            request = urllib.request.Request(url + self.path, body, headers)  # noqa: S310  # a loopback address
            with urllib.request.urlopen(request) as answer:  # noqa: S310
                self._answer(answer.status, answer.read())

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
