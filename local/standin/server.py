"""The stand-in on a socket of 127.0.0.1.

The standard library's threading server, because a fault must reach the bare socket (a reset is a close with a zero
linger), which the usual ASGI servers do not hand out.
"""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from local.standin.answers import Payload
from local.standin.control import control
from local.standin.options import Options
from local.standin.routing import Request
from local.standin.service import serve
from local.standin.state import State


class StandIn:
    """A server of its own thread: `with StandIn() as standin: … standin.url`.

    database: a file that survives a restart, or `:memory:`. port 0 takes a free one.
    """

    def __init__(self, database: str = ":memory:", port: int = 0, options: Options | None = None) -> None:
        self.state = State(database, options or Options())
        self._server = _Server(self.state, port)
        self._thread = threading.Thread(target=self._server.serve_forever, name="standin", daemon=True)

    @property
    def url(self) -> str:
        """Without a path: the API is below `/api/v3.3`, the control calls below `/control`."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.state.database.close()

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
        super().__init__(("127.0.0.1", port), _Connection)


class _Connection(BaseHTTPRequestHandler):
    """One connection: its calls, one after the other."""

    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    rbufsize = 1 << 16
    wbufsize = 1 << 16

    def do_GET(self) -> None:
        state = self.server.state
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.title(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, body)
        if request.path.startswith("/control"):
            self._send(control(request, state))
            return
        with state.log.call(request.method, request.path, request.headers) as entry:
            entry.bytes = len(body)
            reply = serve(request, state.database, state.options)
            entry.status, entry.note = reply.payload.status, reply.note
            self._send(reply.payload)

    do_POST = do_PUT = do_DELETE = do_GET

    def _send(self, payload: Payload) -> None:
        self.send_response(payload.status)
        for name, value in payload.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(payload.content)))
        self.end_headers()
        self.wfile.write(payload.content)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on standard error: the request log has it all."""
