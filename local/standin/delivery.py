"""Takes webhook posts to where they are wanted, in the background and in their order."""

import queue
import threading
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPException

PATIENCE = 5  # seconds


@dataclass(frozen=True)
class Parcel:
    """One POST; the service signs nothing."""

    url: str
    headers: Mapping[str, str]
    content: bytes


def deliver(parcel: Parcel) -> str:
    """What went wrong, or nothing."""
    request = urllib.request.Request(parcel.url, parcel.content, dict(parcel.headers))
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE):
            return ""
    except (OSError, ValueError, HTTPException) as problem:
        return str(problem)


class Deliveries:
    """One thread, started with the first parcel. A parcel that does not arrive is lost."""

    def __init__(self) -> None:
        self._parcels: queue.SimpleQueue[Parcel] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def send(self, parcels: Iterable[Parcel]) -> None:
        for parcel in parcels:
            self._parcels.put(parcel)
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._work, name="standin-webhooks", daemon=True)
                    self._thread.start()

    def _work(self) -> None:
        while True:
            deliver(self._parcels.get())
