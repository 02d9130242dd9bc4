"""The stand-in on a socket of 127.0.0.1.

The standard library's threading server, because a fault must reach the bare socket (a reset is a close with a zero
linger), which the usual ASGI servers do not hand out.
"""

import select
import socket
import struct
import sys
import threading
from contextlib import suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from local.standin.answers import Payload
from local.standin.conduct import HangUpError, ResetError, conduct
from local.standin.control import control
from local.standin.options import Options
from local.standin.routing import Request
from local.standin.state import State

_NO_LINGER = struct.pack("ii", 1, 0)  # closing throws away what is unsent and tells the client RST


class StandIn:
    """A server of its own thread: `with StandIn() as standin: … standin.url`.

    database: a file that survives a restart, or `:memory:`. port 0 takes a free one.
    """

    def __init__(self, database: str = ":memory:", port: int = 0, options: Options | None = None) -> None:
        self.state = State(database, options or Options())
        self._server = _Server(self.state, port)
        # Looks twenty times a second whether it is to stop: tests start and stop many.
        serve = partial(self._server.serve_forever, poll_interval=0.05)
        self._thread = threading.Thread(target=serve, name="standin", daemon=True)

    @property
    def url(self) -> str:
        """Without a path: the API is below `/api/v3.3`, the control calls below `/control`."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        """Also ends the connections that clients keep open: nobody is answered by a server that has stopped."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server.hang_up()
        self.state.end()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a hanging call must not hold up the end
    request_queue_size = 128

    def __init__(self, state: State, port: int) -> None:
        self.state = state
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Connection)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def hang_up(self) -> None:
        for connection in self._open.copy():
            with suppress(OSError):  # it may be closing by itself
                connection.shutdown(socket.SHUT_RDWR)

    def shutdown_request(self, request: Any) -> None:
        """A connection to be reset is closed at once: the usual shutdown would say a polite goodbye first."""
        self._open.discard(request)
        if request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, len(_NO_LINGER)) == _NO_LINGER:
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone away is its own affair."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Connection(BaseHTTPRequestHandler):
    """One connection: its calls, one after the other."""

    server: _Server
    server_version = "stand-in"
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    rbufsize = 1 << 16
    wbufsize = 1 << 16

    def _serve(self) -> None:
        body = self._body()
        if body is None:
            return
        headers = {name.title(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, body)
        state = self.server.state
        if request.path == "/control" or request.path.startswith("/control/"):
            self._send(control(request, state))
            return
        with state.log.call(request) as entry:
            try:
                payload = conduct(request, state, entry, self._gone)
            except ResetError:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
                self.close_connection = True
            except HangUpError:
                self.close_connection = True
            else:
                entry.status = payload.status
                self._send(payload)

    # The standard library asks for these names.
    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815

    def _gone(self) -> bool:
        readable, _, _ = select.select([self.connection], [], [], 0)
        try:
            return bool(readable) and not self.connection.recv(1, socket.MSG_PEEK)
        except ConnectionError:
            return True

    def _body(self) -> bytes | None:
        """None where the client left in the middle, or sent no length."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal():
            self.close_connection = True
            self.send_error(411)
            return None
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            self.close_connection = True
            return None
        return body

    def _send(self, payload: Payload) -> None:
        self.send_response(payload.status)
        for name, value in payload.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(payload.content)))
        self.end_headers()
        self.wfile.write(payload.content)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the standard library's name
        """Nothing on standard error: the request log has it all."""
