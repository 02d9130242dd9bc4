"""Everything around one export, in memory: storage, queue and clock of ``local.memory``, and Campaign Monitor as the
stand-in in this process, behind the real client. Quick, and each time the same: one call after the other."""

import itertools
import json
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import requests
from requests.adapters import BaseAdapter
from world import COLUMNS, FIELDS, INSTANCE, MAPPING, SEGMENT

from local.memory.blobs import MemoryBlobs
from local.memory.clock import ManualClock
from local.memory.queue import MemoryQueue, StaleReceipt, Taken
from local.memory.vault import MemoryVault
from local.standin import Options
from local.standin.conduct import conduct
from local.standin.control import control
from local.standin.routing import Request
from local.standin.state import State
from shared import settings
from shared.campaign_monitor.account import Accounts
from shared.catalog.documents import Connection, Export
from shared.parts import App
from shared.ports.threads import Condition, Crew, Task
from shared.record.run_record import Run
from shared.record.slices import Sizes
from shared.runs import worker
from shared.runs.start import start

API = "http://campaign-monitor.example/api/v3.3"
LIST = "a58ee1d3039b8bec838e6d1482a8a965"
KEY = "key-of-the-account"
EXPORT = "high-value"
JANE = "jane@example.com"
SMALL = Sizes(batch=10, slice=20, first_slice=20, rest=9)
_SETTINGS = {
    "ExportStorage": "UseDevelopmentStorage=true",
    "SEGMENT_CONTAINER": "customerinsights",
    "QUIET_MINUTES": "0",
    "UPLOAD_CONCURRENCY": "1",
}
_UNSEEN_SECONDS = 60  # a message that somebody has taken


@dataclass
class MemoryWorld:
    clock: ManualClock = field(default_factory=ManualClock)
    sizes: Sizes = SMALL
    errors: list[Exception] = field(default_factory=list)  # what steps raised

    def __post_init__(self) -> None:
        self.state = MemoryBlobs("export-state", self.clock)
        self.catalog = MemoryBlobs("export-catalog", self.clock)
        self.segments = MemoryBlobs("customerinsights", self.clock)
        self.queue = MemoryQueue("export-work", self.clock)
        self.service = Service(self.clock)
        self._suffixes = itertools.count(1)
        self.app = self.new_app()
        one = {"id": LIST, "title": "High value customers", "fields": FIELDS}
        client = {"id": "client", "name": "Contoso", "lists": [one]}
        self.service.control("POST", "accounts", {"api_key": KEY, "clients": [client]})

    def new_app(self, **parts: Any) -> App:
        """As another process has it; ``parts`` are other ones than those of this world."""
        threads = OneThread()
        usual: dict[str, Any] = {
            "settings": settings.read(_SETTINGS),
            "state": self.state,
            "catalog_blobs": self.catalog,
            "segments": self.segments,
            "queue": self.queue,
            "vault": MemoryVault({"campaign-monitor-newsletter": KEY}),
            "destinations": Accounts(API, self.clock, threads, lambda _: InProcess(self.service)),
            "clock": self.clock,
            "threads": threads,
            "new_suffix": lambda: f"{next(self._suffixes):08x}",
            "sizes": self.sizes,
        }
        return App(**(usual | parts))

    def copy(self) -> "MemoryWorld":
        """Another world that is as this one is now, leases apart."""
        copy = MemoryWorld(ManualClock(self.clock.now()), self.sizes)
        for old, new in ((self.state, copy.state), (self.catalog, copy.catalog), (self.segments, copy.segments)):
            new._blobs, new._names, new._writes = dict(old._blobs), [*old._names], old._writes
        copy.queue._messages, copy.queue._numbers = dict(self.queue._messages), self.queue._numbers
        copy.service.hold(*(told_of(one) for one in self.service.listed()))
        copy._suffixes = itertools.count(1000)
        return copy

    def save(self, **changes: Any) -> None:
        """A connection with consent, and an export of SEGMENT; ``changes`` are to the export."""
        connection = {
            "id": "newsletter",
            "display_name": "Newsletter account",
            "secret_name": "campaign-monitor-newsletter",
            "usable_by": "contributors",
            "consent": {"agreed_by": JANE, "agreed_at": "2026-11-23T09:00:00Z"},
        }
        export = {
            "id": EXPORT,
            "display_name": "High value customers",
            "connection": "newsletter",
            "list_id": LIST,
            "segments": [SEGMENT],
            "mapping": MAPPING,
        }
        self.app.catalog.save(Connection.model_validate(connection), by=JANE)
        self.app.catalog.save(Export.model_validate(export | changes), by=JANE)

    def put_rows(self, text: str, *, at: str) -> None:
        """A snapshot of one partition, with a model.json that says there is no header row."""
        folder, table = SEGMENT.split("/")
        name = f"{INSTANCE}/{SEGMENT}/{at}/{table}_1.csv"
        attributes = [{"name": column, "dataType": "string"} for column in COLUMNS]
        part = {"name": "part1", "location": f"https://contoso.example/customerinsights/{name}"}
        entity = {"$type": "LocalEntity", "name": table, "attributes": attributes, "partitions": [part]}
        self.segments.write(name, text.encode())
        model = {"name": "CI", "version": "1.0", "entities": [entity]}
        self.segments.write(f"{INSTANCE}/{folder}/model.json", json.dumps(model).encode())

    def start(self, **arguments: Any) -> Run:
        return start(self.app, EXPORT, "on-demand", **arguments)[0]

    def run(self, **arguments: Any) -> Run:
        """A run from its start to its end."""
        run = self.start(**arguments)
        self.pump()
        return self.app.runs.get(EXPORT, run.id)

    def take(self) -> Taken | None:
        return self.queue.take(_UNSEEN_SECONDS)

    def work(self, taken: Taken, app: App | None = None) -> None:
        """One delivery, as the platform does it. What a step raises is in ``errors``, and the message is back."""
        try:
            worker.work(app or self.app, taken.text.encode(), taken.count)
        except Exception as error:
            self.errors.append(error)
            self._settle(self.queue.back if taken.count < worker.MOST_DELIVERIES else self.queue.to_poison, taken)
        else:
            self._settle(self.queue.done, taken)

    def pump(self, most: int = 1000, app: App | None = None) -> int:
        """Takes message after message until there is none, also those that are to be seen later; returns how many."""
        for number in range(most):
            taken = self.take()
            if taken is None:
                lying = self.queue.lying()
                if not lying:
                    return number
                self.clock.set_to(lying[0].visible_at)
                continue
            self.work(taken, app)
        return most

    def _settle(self, how: Callable[[Taken], None], taken: Taken) -> None:
        with suppress(StaleReceipt):  # somebody else has it by now
            how(taken)


class Service:
    """Campaign Monitor, in this process."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self.state = State(":memory:", Options())
        self.imports: list[list[str]] = []  # the addresses of each import call

    def control(self, method: str, path: str, body: object = None) -> bytes:
        data = json.dumps(body).encode() if body is not None else b""
        payload = control(Request(method, f"/control/{path}", {}, data), self.state)
        assert payload.status < 300, payload.content
        return payload.content

    def hold(self, *subscribers: dict[str, Any]) -> None:
        """Puts subscribers on the list as they are: email, state, name, …"""
        self.control("PUT", "subscribers", {"list_id": LIST, "subscribers": list(subscribers)})

    def listed(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.control("GET", f"lists/{LIST}/subscribers").splitlines()]

    def active(self) -> dict[str, dict[str, Any]]:
        """Who is active on the list, by address."""
        return {one["email"]: one for one in self.listed() if one["state"] == "Active"}

    def answer(self, request: requests.PreparedRequest) -> requests.Response:
        now: datetime = self._clock.now()
        self.state.options = self.state.options.model_copy(update={"now": now})
        body = request.body or b""
        data = body if isinstance(body, bytes) else body.encode()
        headers = {name.title(): str(value) for name, value in request.headers.items() if name != "Accept-Encoding"}
        asked = Request(str(request.method), request.path_url, headers, data)
        with self.state.log.call(asked) as entry:
            payload = conduct(asked, self.state, entry, lambda: False)
        if asked.path.endswith("/import.json"):
            self.imports.append([one["EmailAddress"] for one in json.loads(data)["Subscribers"]])
        response = requests.Response()
        response.status_code = payload.status
        response._content = payload.content
        response.headers.update(payload.headers)
        response.request, response.url = request, str(request.url)
        return response


def told_of(subscriber: dict[str, Any]) -> dict[str, Any]:
    """What can be put back with ``hold``."""
    return {name: subscriber[name] for name in ("email", "state", "suppressed", "name", "mobile", "fields")}


class InProcess(BaseAdapter):
    """Carries the requests of the real client to the service."""

    def __init__(self, service: Service) -> None:
        super().__init__()
        self._service = service

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        return self._service.answer(request)

    def close(self) -> None:
        pass


class Done[T]:
    """A call that was made when it was started."""

    def __init__(self, call: Callable[[], T]) -> None:
        self._error: BaseException | None = None
        try:
            self._value = call()
        except Exception as error:
            self._error = error

    def result(self) -> T:
        if self._error:
            raise self._error
        return self._value

    def error(self) -> BaseException | None:
        return self._error


class OneThread:
    """Keeps ``shared.ports.threads.Threads`` with no thread at all: what is started is done at once, and what is to be
    repeated is done when the test says ``catch_up``, as after a sleep."""

    def __init__(self) -> None:
        self._repeated: list[Callable[[], bool]] = []

    def catch_up(self) -> None:
        self._repeated = [call for call in self._repeated if call()]

    def crew(self, most: int) -> AbstractContextManager[Crew]:
        return nullcontext(_AtOnce())

    @contextmanager
    def repeat(self, call: Callable[[], bool], seconds: float) -> Iterator[None]:
        self._repeated.append(call)
        try:
            yield
        finally:
            self._repeated = [one for one in self._repeated if one is not call]

    def condition(self) -> Condition:
        return threading.Condition()


class _AtOnce:
    def start[T](self, call: Callable[[], T]) -> Task[T]:
        return Done(call)

    def wait[T](self, tasks: Collection[Task[T]], seconds: float | None = None) -> set[Task[T]]:
        return set(tasks)
