"""The API over HTTP, for tests: the real app at a free port, and a door that takes role and name from the request."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
import uvicorn
from fastapi import FastAPI
from starlette.requests import Request
from world import MAPPING, SEGMENT, World

from shared.web import api
from shared.web.roles import Caller


def caller_of(request: Request) -> Caller:
    """A door for tests alone: it believes what a request says of itself."""
    return Caller(request.headers.get("x-name", "jane@contoso.example"), request.headers.get("x-role", "admin"))  # type: ignore[arg-type]


@contextmanager
def listening(web: FastAPI) -> Iterator[str]:
    """The address of the app, served on a thread."""
    server = uvicorn.Server(uvicorn.Config(web, port=0, lifespan="off", log_config=None, access_log=False))
    server.config.load()
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        threading.Event().wait(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


class Api:
    """Calls the API of a world as somebody; ``role`` is that of every call that names none."""

    def __init__(self, url: str, world: World, role: str = "admin") -> None:
        self.url = f"{url}/api"
        self.world = world
        self.role = role
        self.connection = f"c-{world.id}"
        self.export = f"e-{world.id}"
        self._session = requests.Session()

    def call(
        self, method: str, path: str, json: Any = None, *, role: str | None = None, **options: Any
    ) -> requests.Response:
        headers = {"x-role": role or self.role} | options.pop("headers", {})
        return self._session.request(method, self.url + path, json=json, headers=headers, timeout=60, **options)

    def put_connection(self, id_: str | None = None, **changes: Any) -> requests.Response:
        document = connection(self.world) | changes
        return self.call("PUT", f"/connections/{id_ or self.connection}", document)

    def put_export(self, id_: str | None = None, *, role: str | None = None, **changes: Any) -> requests.Response:
        document = export(self.world) | changes
        return self.call("PUT", f"/exports/{id_ or self.export}", document, role=role)

    def problem(self, answer: requests.Response, status: int, code: str) -> dict[str, Any]:
        """What the answer says, once it is the problem that it should be."""
        assert answer.status_code == status, answer.text
        assert answer.headers["Content-Type"] == "application/problem+json"
        said: dict[str, Any] = answer.json()
        assert (said["status"], said["code"]) == (status, code), said
        assert said["type"] == f"urn:segment-export:problem:{code}"
        assert said["title"] and said["detail"]
        return said


@contextmanager
def serving(world: World) -> Iterator[Api]:
    with listening(api.create(lambda: world.app, caller_of)) as url:
        yield Api(url, world)


def connection(world: World) -> dict[str, Any]:
    return {
        "display_name": "Newsletter",
        "secret_name": world.secret,
        "usable_by": "contributors",
        "consent": {"agreed_by": "jane@contoso.example"},
    }


def export(world: World) -> dict[str, Any]:
    return {
        "display_name": "High value customers",
        "connection": f"c-{world.id}",
        "list_id": world.list_id,
        "segments": [SEGMENT],
        "mapping": MAPPING,
    }
