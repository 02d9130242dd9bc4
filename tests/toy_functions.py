"""A builder of toy function apps: folders with a function.json and a few lines, as a developer would write them."""

import json
import textwrap
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HTTP_OUT = {"type": "http", "direction": "out", "name": "$return"}


def http_trigger(**options: Any) -> dict[str, Any]:
    return {"type": "httpTrigger", "direction": "in", "name": "req", **options}


def queue_trigger(queue_name: str = "toys", connection: str = "ToyStorage") -> dict[str, Any]:
    return {
        "type": "queueTrigger",
        "direction": "in",
        "name": "message",
        "queueName": queue_name,
        "connection": connection,
    }


def every_two_seconds_with_a_status() -> str:
    """A schedule that leaves out an hour that is far away: of what comes in every minute no status is kept."""
    now = time.gmtime().tm_hour
    return f"*/2 * {','.join(str(hour) for hour in range(24) if hour != (now + 12) % 24)} * * *"


def timer_trigger(schedule: str) -> dict[str, Any]:
    return {"type": "timerTrigger", "direction": "in", "name": "timer", "schedule": schedule}


@dataclass(frozen=True)
class ToyApp:
    """An app under `root`. Its functions leave traces: lines that `trace(text)` appends and `traces()` reads."""

    root: Path

    def host(self, *, queues: Mapping[str, Any] | None = None, **options: Any) -> "ToyApp":
        one_at_a_time = {"batchSize": 1, "newBatchThreshold": 0}
        extensions = {"http": {"routePrefix": "api"}, "queues": one_at_a_time | dict(queues or {})}
        self._write("host.json", json.dumps({"version": "2.0", "extensions": extensions} | options))
        return self

    def function(self, name: str, *bindings: Mapping[str, Any], code: str, **config: Any) -> "ToyApp":
        """Add a function folder; `code` sees `func`, `logging`, `time` and `trace`."""
        if not (self.root / "host.json").exists():
            self.host()
        self._write(f"{name}/function.json", json.dumps({"bindings": bindings, **config}))
        head = f"""
            import logging, os, pathlib, time
            import azure.functions as func

            def trace(text):
                with pathlib.Path({str(self._traces)!r}).open("a") as file:
                    file.write(f"{{text}}\\n")
        """
        self._write(f"{name}/__init__.py", textwrap.dedent(head) + textwrap.dedent(code))
        return self

    @property
    def log(self) -> Path:
        return self.root / "host.log"

    @property
    def _traces(self) -> Path:
        return self.root / "traces"

    def traces(self) -> list[str]:
        return self._traces.read_text().splitlines() if self._traces.exists() else []

    def _write(self, path: str, text: str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)


def eventually[T](look: Callable[[], T], *, seconds: float = 60) -> T:
    """What `look` returns, as soon as that is true; an AssertionError with the last answer after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"still {found!r} after {seconds} s"
        time.sleep(0.02)
    return found
