"""What the product wrote down, read as any program could: JSON, CSV and Parquet, by the names of the design alone."""

import csv
import io
import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local.memory.blobs import MemoryBlobs
from local.memory.queue import MemoryQueue

ENDED = ("succeeded", "completed_with_rejects", "failed", "cancelled")
_RECORD = re.compile(r"runs/([^/]+)/([^/]+)/run\.json")


@dataclass(frozen=True)
class Records:
    """``expired`` are those of runs that a lifecycle rule has deleted, by their names."""

    state: MemoryBlobs
    catalog: MemoryBlobs
    queue: MemoryQueue
    expired: dict[str, dict[str, Any]] = field(default_factory=dict)

    def runs(self, export: str | None = None) -> list[dict[str, Any]]:
        """The oldest first; also those that have expired."""
        folder = f"runs/{export}/" if export else "runs/"
        names = [info.name for info in self.state.list(folder)]
        found = [self._json(name) for name in names if _RECORD.fullmatch(name)]
        expired = [run for name, run in self.expired.items() if name.startswith(folder) and name not in names]
        return sorted(found + expired, key=lambda run: str(run["id"]))

    def expire(self, before: datetime) -> int:
        """Deletes those of runs that had ended then, as the lifecycle rule does after some days; says how many."""
        names = [info.name for info in self.state.list("runs/") if info.modified < before]
        ended = {name: run for name in names if _RECORD.fullmatch(name) and (run := self._json(name)).get("ended_at")}
        for name in ended:
            self.state.delete(name)
        self.expired.update(ended)
        return len(ended)

    def exports(self) -> dict[str, dict[str, Any]]:
        documents = [json.loads(_data(self.catalog, info.name)) for info in self.catalog.list("exports/")]
        return {document["id"]: document for document in documents}

    def rejects(self, run: dict[str, Any]) -> list[dict[str, str]]:
        """The rows of rejects.csv, by the names in its header."""
        text = _data(self.state, f"{folder(run)}/rejects.csv").decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text)))

    def acknowledged(self, export: str, list_id: str) -> bytes | None:
        """The Parquet file."""
        blob = self.state.read(f"exports/{export}/acknowledged-{list_id}.parquet")
        return blob.data if blob else None

    def held(self) -> list[str]:
        """The exports that a run holds."""
        return [info.name.split("/")[1] for info in self.state.list("exports/") if info.name.endswith("/active.json")]

    def locked(self, run: dict[str, Any]) -> frozenset[str]:
        """The steps of the run that somebody has locked."""
        names = [info.name for info in self.state.list(f"runs/{run['export']}/{run['id']}/locks/")]
        return frozenset(name.rpartition("/")[2] for name in names if self.state.is_leased(name))

    def texts(self) -> list[tuple[str, bytes]]:
        """All that is no place for addresses: name and content."""
        found = [
            (info.name, _data(container, info.name))
            for container in (self.state, self.catalog)
            for info in container.list("")
            if not _may_hold_addresses(info.name)
        ]
        messages = [(f"message {one.id}", one.text.encode()) for one in self.queue.lying() + self.queue.poison.lying()]
        return found + messages

    def _json(self, name: str) -> dict[str, Any]:
        record: dict[str, Any] = json.loads(_data(self.state, name))
        return record


def folder(run: dict[str, Any]) -> str:
    """That of the attempt that counts."""
    attempt = f"/{run['attempt']}" if run.get("attempt") else ""
    return f"runs/{run['export']}/{run['id']}{attempt}"


def files_used(run: dict[str, Any]) -> list[tuple[dict[str, Any], list[str]]]:
    """Each snapshot with the names of its files that the run used; as far as its record says both."""
    return list(zip(run["snapshots"], run.get("partitions") or (), strict=False))


def table_of(segment: str) -> str:
    return segment.partition("/")[2]


def _may_hold_addresses(name: str) -> bool:
    """Slices, acknowledged, rejects and the like; and what is remembered of lists and of people."""
    return name.endswith((".parquet", "rejects.csv", "removed.csv", "audit.csv")) or name.startswith(
        ("lists/", "people/")
    )


def _data(container: MemoryBlobs, name: str) -> bytes:
    blob = container.read(name)
    return blob.data if blob else b""
