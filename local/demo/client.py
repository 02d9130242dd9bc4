"""The app over HTTP, as somebody would use it who has it in Azure."""

import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urljoin

import requests

from local.demo.errors import DemoError
from local.demo.scene import LIST_ID, SECRET_NAME
from local.sample import MAPPING, SEGMENT

CONNECTION = {
    "id": "newsletter",
    "display_name": "Newsletter account",
    "secret_name": SECRET_NAME,
    "usable_by": "admins",
    "consent": {"agreed_by": "jane@contoso.example", "agreed_at": "2026-11-23T09:00:00Z"},
}
EXPORT = {
    "id": "high-value",
    "display_name": "High value customers",
    "connection": "newsletter",
    "list_id": LIST_ID,
    "segments": [SEGMENT],
    "mapping": MAPPING,
    "schedule": "refresh",
    "enabled": True,
    "mode": "changes",
    "removals": "keep",
    "resubscribe": False,
    "max_profiles": 1_000_000,
}
ENDED = ("succeeded", "completed_with_rejects", "failed", "cancelled")

ASK_EVERY = 0.2  # seconds
PATIENCE = 120.0  # seconds for a run to take a step forward

Run = dict[str, Any]


class Client:
    """One caller of the API at `url`. Every call raises DemoError with what the app answered."""

    def __init__(self, url: str, *, patience: float = PATIENCE) -> None:
        self.api = f"{url}/api"
        self._patience = patience
        self._session = requests.Session()

    def set_up(self, max_profiles: int) -> None:
        self._call("PUT", f"{self.api}/connections/newsletter", (200, 201), CONNECTION)
        self._call("PUT", f"{self.api}/exports/high-value", (200, 201), EXPORT | {"max_profiles": max_profiles})

    def start_run(self) -> str:
        """The address of the run; the timer may have been faster, then it is that one's (200)."""
        answer = self._call("POST", f"{self.api}/exports/high-value/runs", (200, 202), {})
        return urljoin(answer.url, answer.headers["Location"])

    def follow(self, address: str, check: Callable[[], None]) -> Iterator[Run]:
        """The run, again and again, until it has ended. `check` raises when to ask on is in vain.

        Raises DemoError when the run fails, or does not move for too long.
        """
        moved, seen = time.monotonic(), None
        while True:
            check()
            run: Run = self._call("GET", address, (200,)).json()
            yield run
            if run["error"]:
                raise DemoError(
                    f"The run did not succeed ({run['status']}): {run['error']['message']} {run['error']['action']}"
                )
            if run["status"] in ENDED:
                return
            step = (run["status"], run["progress"])
            if step != seen:
                moved, seen = time.monotonic(), step
            elif time.monotonic() - moved > self._patience:
                since = f"has not moved for {self._patience:.0f} seconds"
                raise DemoError(f"The run is {run['status']} and {since}: the host's log says what it last did.")
            time.sleep(ASK_EVERY)

    def rejects(self, address: str) -> bytes:
        """rejects.csv of the run at `address`."""
        return self._call("GET", f"{address}/rejects", (200,)).content

    def _call(
        self, method: str, address: str, welcome: tuple[int, ...], body: dict[str, Any] | None = None
    ) -> requests.Response:
        try:
            answer = self._session.request(method, address, json=body, timeout=60)
        except requests.RequestException as error:
            raise DemoError(
                f"{method} {address} was not answered ({type(error).__name__}): the host's log says why."
            ) from None
        if answer.status_code not in welcome:
            raise DemoError(f"{method} {address} was answered {answer.status_code}: {answer.text.strip()[:1000]}")
        return answer
