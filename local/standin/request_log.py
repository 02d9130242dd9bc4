"""What came in: no bodies and no query strings, so no address of any subscriber."""

import re
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from local.standin.routing import Request

HEADERS = ("Accept", "Accept-Encoding", "Content-Encoding", "Content-Type", "Host", "User-Agent")
LONGEST = 50_000


@dataclass
class Entry:
    """One call. `time` in seconds since 1970, `in_flight` with this one; `rows` of an import; status 0: reset."""

    time: float
    method: str
    path: str
    headers: Mapping[str, str]
    in_flight: int
    bytes: int = 0
    rows: int | None = None
    status: int = 0
    seconds: float = 0.0
    fault: str = ""
    note: str = ""


class RequestLog:
    """The last calls, the oldest forgotten first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: deque[Entry] = deque(maxlen=LONGEST)
        self._in_flight = 0

    @contextmanager
    def call(self, request: Request) -> Iterator[Entry]:
        """The entry of a call that is being served; the caller fills in the rest."""
        headers = request.headers
        interesting = {name: headers[name] for name in HEADERS if name in headers}
        interesting["Authorization"] = headers.get("Authorization", "").partition(" ")[0]  # never the credential
        with self._lock:
            self._in_flight += 1
            entry = Entry(time.time(), request.method, request.path, interesting, self._in_flight)
            self._entries.append(entry)
        started = time.perf_counter()
        try:
            yield entry
        finally:
            entry.seconds = round(time.perf_counter() - started, 6)
            with self._lock:
                self._in_flight -= 1

    def read(self, pattern: str = "") -> list[dict[str, Any]]:
        """Oldest first; `pattern` is searched in the path. Raises re.error."""
        searched = re.compile(pattern)
        with self._lock:
            entries = list(self._entries)
        return [asdict(entry) for entry in entries if searched.search(entry.path)]

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
