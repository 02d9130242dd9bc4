"""Azurite behind an HTTP proxy that refuses calls on order: storage as it fails in Azure."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import urlsplit

_ENDPOINT = re.compile(r"(Blob|Queue|Table)Endpoint=(http://[^;]+)")
_OF_ONE_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "content-length"}


@dataclass(frozen=True)
class Call:
    """``at`` is a time of the monotonic clock, ``path`` without the account, with the query."""

    at: float
    method: str
    path: str
    status: int


@dataclass
class StorageProxy:
    """``connection_string`` reaches what ``behind`` does, through this: ``with StorageProxy(behind) as proxy``."""

    behind: str
    connection_string: str = ""
    calls: list[Call] = field(default_factory=list)
    _rules: list[tuple[str, re.Pattern[str], int]] = field(default_factory=list)
    _delays: list[tuple[str, re.Pattern[str], float]] = field(default_factory=list)
    _servers: list[ThreadingHTTPServer] = field(default_factory=list)

    def __enter__(self) -> Self:
        self.connection_string = _ENDPOINT.sub(self._served, self.behind)
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()

    @contextmanager
    def refusing(self, method: str, path: str, status: int) -> Iterator[None]:
        """Answers with ``status`` to each call of that method whose path has a match of ``path``."""
        rule = (method, re.compile(path), status)
        self._rules.append(rule)
        try:
            yield
        finally:
            self._rules.remove(rule)

    @contextmanager
    def delaying(self, method: str, path: str, seconds: float) -> Iterator[None]:
        """Passes each such call on only after so many seconds."""
        rule = (method, re.compile(path), seconds)
        self._delays.append(rule)
        try:
            yield
        finally:
            self._delays.remove(rule)

    def wait_before(self, method: str, path: str) -> None:
        for of, where, seconds in self._delays:
            if of == method and where.search(path):
                time.sleep(seconds)

    def answer_to(self, method: str, path: str) -> int | None:
        """The status with which it is refused, where it is."""
        return next((status for of, where, status in self._rules if of == method and where.search(path)), None)

    def _served(self, endpoint: re.Match[str]) -> str:
        where = urlsplit(endpoint[2])
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                path = self.path.removeprefix(where.path)
                proxy.wait_before(self.command, path)
                status = proxy.answer_to(self.command, path)
                if status is None:
                    status = self._pass_on(body)
                else:
                    self.send_response(status)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                proxy.calls.append(Call(time.monotonic(), self.command, path, status))

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _any  # noqa: N815

            def _pass_on(self, body: bytes) -> int:
                connection = HTTPConnection(where.netloc, timeout=120)
                try:
                    connection.request(self.command, self.path, body, dict(self.headers))
                    answer = connection.getresponse()
                    content = answer.read()
                finally:
                    connection.close()
                self.send_response(answer.status, answer.reason)
                for name, value in answer.getheaders():
                    if name.lower() not in _OF_ONE_CONNECTION:
                        self.send_header(name, value)
                length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(content))
                self.send_header("Content-Length", length or "0")
                self.end_headers()
                self.wfile.write(content)
                return answer.status

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self._servers.append(server)
        return f"{endpoint[1]}Endpoint=http://127.0.0.1:{server.server_address[1]}{where.path}"
