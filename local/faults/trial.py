"""One export of the sample to a list of its own, from its set-up to its end, watched over HTTP."""

import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import batched
from typing import Any, NamedTuple

import requests

from local.demo.client import CONNECTION, ENDED, EXPORT
from local.demo.scene import API_KEY, SUBSCRIBERS_IN_A_CALL
from local.faults.errors import FaultsError
from local.faults.programs import WORKERS, Programs
from local.sample import LIST_FIELDS, Reject, Sample, Subscriber, account, afterwards, known_before, rejects

PATIENCE = 150.0  # seconds for a run to take a step forward
_CLIENT = "client"

Run = dict[str, Any]


@dataclass(frozen=True)
class Expectation:
    """What comes of the sample, worked out once for many exports."""

    account: dict[str, int]
    rejects: list[Reject]
    before: list[Subscriber]
    afterwards: list[Subscriber]

    @classmethod
    def of(cls, sample: Sample) -> "Expectation":
        return cls(account(sample), list(rejects(sample)), list(known_before(sample)), list(afterwards(sample)))

    @property
    def batches(self) -> int:
        return -(-self.account["to_send"] // 1000)


class ImportCall(NamedTuple):
    """As the stand-in met it; ``begun`` and ``ended`` in seconds since 1970, ``fault`` empty where it played none."""

    worker: int
    begun: float
    ended: float
    rows: int
    fault: str


def prepare(programs: Programs, **options: object) -> None:
    """Empties the stand-in, gives it ``options`` and the account, and makes the app's connection to that."""
    control(programs, "POST", "reset")
    control(programs, "PUT", "options", options)
    clients = [{"id": _CLIENT, "name": "Contoso"}]
    control(programs, "POST", "accounts", {"api_key": API_KEY, "name": "Contoso", "clients": clients})
    call("PUT", f"{programs.door}/api/connections/{CONNECTION['id']}", CONNECTION)


class Trial:
    """``name`` is the export's id, and without its hyphens the list's."""

    def __init__(self, programs: Programs, name: str, expectation: Expectation) -> None:
        self.programs = programs
        self.name = name
        self.expectation = expectation
        self.list_id = re.sub(r"\W", "", name)
        self._address = ""

    def set_up(self, *, schedule: str | None = None) -> None:
        """The list, with those on it whom it knows before, and the export."""
        fields = {"id": self.list_id, "client_id": _CLIENT, "title": self.name, "fields": LIST_FIELDS}
        control(self.programs, "POST", "lists", fields)
        for some in batched(self.expectation.before, SUBSCRIBERS_IN_A_CALL, strict=False):
            body = {"list_id": self.list_id, "subscribers": [asdict(each) for each in some]}
            control(self.programs, "PUT", "subscribers", body)
        changes = {"id": self.name, "list_id": self.list_id, "schedule": schedule}
        call("PUT", f"{self.programs.door}/api/exports/{self.name}", EXPORT | changes)

    def start(self) -> None:
        answer = call("POST", f"{self.programs.door}/api/exports/{self.name}/runs", {})
        if answer.status_code != requests.codes.accepted:
            raise FaultsError(f"{self.name} is not free: a start is answered {answer.status_code}.")
        self._address = f"{self.programs.door}{answer.headers['Location']}"

    def follow(self, run: Run) -> None:
        """One that the timer has begun."""
        self._address = f"{self.programs.door}/api/exports/{self.name}/runs/{run['id']}"

    def run(self) -> Run:
        return dict(call("GET", self._address).json())

    def rejects(self) -> str:
        return call("GET", f"{self._address}/rejects").content.decode("utf-8-sig")

    def import_calls(self) -> list[ImportCall]:
        answer = control(self.programs, "GET", f"log?path={self.list_id}/import")
        return [_import_call(each) for each in answer.json()["calls"]]

    def wait(self, reached: Callable[[Run], bool]) -> Run:
        """The run, once it is there or has ended. Raises FaultsError when it does not move for PATIENCE seconds."""
        moved, seen = time.monotonic(), None
        while True:
            run = self.run()
            if reached(run) or run["status"] in ENDED:
                return run
            step = (run["status"], run["progress"])
            if step != seen:
                moved, seen = time.monotonic(), step
            elif time.monotonic() - moved > PATIENCE:
                raise FaultsError(f"{self.name} is {run['status']} and has not moved for {PATIENCE:.0f} seconds.")
            time.sleep(0.05)

    def wait_for(self, status: str) -> Run:
        return self.wait(lambda run: run["status"] == status)

    def wait_for_calls(self, number: int) -> Run:
        """So many import calls have come."""
        return self.wait(lambda _: len(self.import_calls()) >= number)

    def wait_for_end(self) -> Run:
        return self.wait(lambda _: False)


def _import_call(entry: dict[str, Any]) -> ImportCall:
    name = entry["headers"]["Host"].partition(":")[0]
    worker = next(number for number, known_as in WORKERS.items() if known_as == name)
    return ImportCall(worker, entry["time"], entry["time"] + entry["seconds"], entry["rows"] or 0, entry["fault"])


def tick(programs: Programs) -> None:
    """ExportTimer's tick, by hand; it goes on after the answer."""
    call("POST", f"{programs.door}/admin/functions/ExportTimer", {})


def control(programs: Programs, method: str, path: str, body: object = None) -> requests.Response:
    return call(method, f"{programs.standin}/control/{path}", body)


def call(method: str, address: str, body: object = None) -> requests.Response:
    """Raises FaultsError where it is not answered well."""
    try:
        answer = requests.request(method, address, json=body, timeout=120)
    except requests.RequestException as error:
        raise FaultsError(f"{method} {address} is not answered ({type(error).__name__}).") from None
    if not answer.ok:
        raise FaultsError(f"{method} {address} is answered {answer.status_code}: {answer.text.strip()[:500]}")
    return answer
