"""What a run in stored records should come to, and how it came out."""

import csv
import hashlib
import io
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import stored_records
from memory_world import EXPORT, LIST, MemoryWorld
from world import balances

from shared.record import acknowledged
from shared.record.acknowledged import HELD, State
from shared.record.batch_results import SliceResult
from shared.record.blob_places import already_listed_name, slice_name
from shared.record.run_record import Run
from shared.runs.start import start

VERSIONS = stored_records.versions()
every_version = pytest.mark.parametrize("folder", VERSIONS, ids=lambda folder: folder.name)


class Expected:
    """What must have become of the run that a fixture left, found out from its files."""

    def __init__(self, world: MemoryWorld) -> None:
        (self.run, *_) = world.app.runs.newest(EXPORT)
        (name,) = (info.name for info in world.segments.list("") if info.name.endswith(".csv"))
        rows = csv.reader(io.StringIO(b"".join(world.segments.chunks(name)).decode()))
        people: dict[str, str] = {}
        for _, email, _, _, city, _ in rows:
            if "@" in email:
                people.setdefault(email.lower(), city)
        listed = {one["email"]: one for one in world.service.listed()}
        held = {row["email"]: row["state"] for row in parquet(world, acknowledged.name(EXPORT, LIST))}
        on_list = {email for email, one in listed.items() if one["state"] == "Active"}
        opted_out = {email for email, one in listed.items() if one["state"] in ("Unsubscribed", "Bounced")}
        added = {email for email, state in held.items() if state == State.ADDED}
        gone = {email for email, state in held.items() if state in HELD} - people.keys()
        self.refused = opted_out & people.keys()
        self.removed = gone & added
        self.active = {email: people.get(email) for email in (on_list - self.removed) | people.keys()}
        for email in opted_out:
            self.active.pop(email, None)
        self.held = people.keys() - opted_out
        self.sent_before = frozenset(self._sent(world))
        there_before = {row["address"] for row in parquet(world, already_listed_name(self.run))}
        self.put_there = {
            email
            for email in self.sent_before - held.keys()
            if hashlib.md5(email.encode()).hexdigest() not in there_before
        }
        self.not_ours = on_list & people.keys() - added - self.put_there
        self.deleted = {email for email, state in held.items() if state == State.DELETED} - people.keys() | self.removed
        self.rejects = rows_of_rejects(world, self.run)

    def _sent(self, world: MemoryWorld) -> Iterator[str]:
        for number, result in enumerate(results(world, self.run)):
            rows = parquet(world, slice_name(self.run, number))
            for batch, answer in result.answered.items():
                size = world.app.sizes.batch
                sent = set(range(batch * size, (batch + 1) * size)) - set(answer.unanswered)
                yield from (row["email"] for place, row in enumerate(rows) if place in sent)


def must_be_as(expected: Expected, world: MemoryWorld, by: Run | None = None) -> None:
    run = world.app.runs.get(EXPORT, (by or expected.run).id)
    assert world.errors == []
    assert run.status == "completed_with_rejects"
    assert balances(run)
    if by is None:
        assert run.counts.refused == len(expected.refused)
        assert run.counts.removed == run.counts.to_remove == len(expected.removed)
        assert rows_of_rejects(world, run)[: len(expected.rejects)] == expected.rejects
        refused = [row[4] for row in rows_of_rejects(world, run)[len(expected.rejects) :]]
        assert sorted(refused) == sorted(expected.refused)
    assert expected.rejects and run.counts.unsent == 0
    active = {email: one["fields"].get("City") for email, one in world.service.active().items()}
    assert active.keys() == expected.active.keys()
    assert {email: city for email, city in expected.active.items() if city} == {
        email: active[email] for email, city in expected.active.items() if city
    }
    states = {row["email"]: row["state"] for row in parquet(world, acknowledged.name(EXPORT, LIST))}
    assert {email for email, state in states.items() if state in HELD} == expected.held
    assert {email for email, state in states.items() if state == State.CONFIRMED} == expected.not_ours
    assert {email for email, state in states.items() if state == State.DELETED} == expected.deleted
    sent = [email for call in world.service.imports for email in call]
    assert not expected.sent_before & set(sent)
    assert world.app.claims.held(EXPORT) is None
    assert start(world.app, EXPORT, "on-demand", key="the third")[0].id == expected.run.id


def parquet(world: MemoryWorld, name: str) -> list[dict[str, Any]]:
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        assert world.state.download(name, Path(file.name))
        found = duckdb.connect().execute("FROM read_parquet(?)", [file.name])
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def rows_of_rejects(world: MemoryWorld, run: Run) -> list[list[str]]:
    text = b"".join(world.app.rejects(run).chunks()).decode("utf-8-sig")
    return list(csv.reader(text.splitlines()))[1:]


def results(world: MemoryWorld, run: Run) -> list[SliceResult]:
    results = world.app.results(run)
    return [result for number, _ in results.totals() if (result := results.get(number))]


def json_of(blobs: Any, name: str) -> Any:
    return json.loads(blobs.read(name).data)


def says(said: Any, stored: Any) -> bool:
    """Whether all that is stored is said."""
    if isinstance(stored, dict):
        return all(name in said and says(said[name], value) for name, value in stored.items())
    if isinstance(stored, list):
        return len(said) == len(stored) and all(map(says, said, stored))
    return bool(said == stored)
