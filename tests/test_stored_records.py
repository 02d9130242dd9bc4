"""An upgrade in the middle of a run: what any version left is read, gone on with, and kept for the newer one."""

import csv
import hashlib
import io
import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import requests
import stored_records
from http_world import caller_of, listening
from memory_world import EXPORT, JANE, LIST, MemoryWorld
from world import balances

from shared.catalog.documents import Connection, Export
from shared.catalog.store import Precondition
from shared.record import acknowledged
from shared.record.acknowledged import HELD, State
from shared.record.batch_results import BatchResult, SliceResult
from shared.record.blob_places import already_listed_name, lock_name, slice_name
from shared.record.run_record import Run
from shared.runs.cancel import cancel
from shared.runs.delete_configuration import remove_connection
from shared.runs.due import note_snapshots, noted_snapshots
from shared.runs.idempotency import Keys
from shared.runs.last_tick import last_tick, note_tick
from shared.runs.start import start
from shared.runs.tick import tick
from shared.stored_record import written
from shared.web import api

LATER = "later"  # a field that a newer version has
VERSIONS = stored_records.versions()
every_version = pytest.mark.parametrize("folder", VERSIONS, ids=lambda folder: folder.name)


def test_the_present_version_writes_what_the_newest_fixture_holds(tmp_path: Path) -> None:
    stored_records.keep(stored_records.middle_of_a_run(), tmp_path)

    assert stored_records.shape(tmp_path) == stored_records.shape(stored_records.NOW), (
        "Stored records have another shape than those in tests/stored/now, which every later version must read, too: "
        "keep them under a name that says what they lack, and add what is written now beside them. "
        "make stored NAME=… does both."
    )


@every_version
def test_records_of_every_version_are_read(folder: Path) -> None:
    world = stored_records.load(folder)
    app = world.app

    runs = list(app.runs.newest(EXPORT))
    assert [run.status for run in runs] == [
        "sending",
        "cancelled",
        "failed",
        "succeeded",
        "succeeded",
        "completed_with_rejects",
    ]
    for run in runs:
        assert _says(json.loads(written(run)), _json(world.state, f"runs/{EXPORT}/{run.id}/run.json"))
    assert [result.done[0].added for result in _results(world, runs[-1])] == [9, 9, 10, 10]
    claim = app.claims.held(EXPORT)
    assert claim and claim.run == runs[0].id
    assert [one.path for one in noted_snapshots(app.state, EXPORT)] == [one.path for one in runs[0].snapshots]
    assert last_tick(app.state) is not None
    assert Keys(app.state).bind(runs[0], "the third", mode_asked=False, since=runs[0].created_at).run == runs[0].id
    for name in ("connections/newsletter.json", "exports/high-value.json"):
        model: type[Connection | Export] = Connection if "newsletter" in name else Export
        kept = app.catalog.kept(model, "newsletter" if model is Connection else EXPORT)
        assert _says(json.loads(written(kept.item)), _json(world.catalog, name))


@every_version
def test_a_run_begun_before_the_upgrade_is_finished_by_this_version(folder: Path) -> None:
    world = stored_records.load(folder)
    expected = Expected(world)

    world.pump()

    _must_be_as(expected, world)


@every_version
@pytest.mark.parametrize("lost", ["twice", "lost", "the plan again"])
def test_so_it_is_with_messages_that_are_lost_or_come_twice(folder: Path, lost: str) -> None:
    world = stored_records.load(folder)
    expected = Expected(world)
    messages = [message.text for message in world.queue.lying()]
    if lost == "lost":
        while taken := world.take():
            world.queue.done(taken)
        world.clock.sleep(6 * 60)
        tick(world.app)
    elif lost == "twice":
        for message in messages:
            world.queue.put(message)
    else:
        world.queue.put(json.dumps({"v": 1, "step": "plan", "export": EXPORT, "run": expected.run.id}))

    world.pump()

    _must_be_as(expected, world)


@every_version
def test_a_run_begun_before_the_upgrade_can_be_cancelled_and_made_up_for(folder: Path) -> None:
    world = stored_records.load(folder)
    expected = Expected(world)
    cancel(world.app, EXPORT, expected.run.id, by=JANE)
    world.pump()

    run = world.app.runs.get(EXPORT, expected.run.id)
    assert run.status == "cancelled"
    assert balances(run)
    assert run.counts.unsent > 0

    rest = world.run()
    assert rest.counts.to_send == run.counts.unsent
    _must_be_as(expected, world, rest)


@every_version
def test_a_run_that_an_older_version_was_planning_is_planned_anew(folder: Path) -> None:
    world = stored_records.load(folder)
    expected = Expected(world)

    def planning(run: Run) -> Run:
        planned = ("counts", "progress", "slices", "import_slices", "partitions", "list_id", "removals", "planned_at")
        as_begun = {name: Run.model_fields[name].default for name in planned}
        return run.model_copy(update={"status": "planning", **as_begun})

    world.app.runs.change(EXPORT, expected.run.id, planning)
    for info in [*world.state.list(f"runs/{EXPORT}/{expected.run.id}/")]:
        if "/results/" in info.name:
            world.state.delete(info.name)
    tick(world.app)
    world.clock.sleep(6 * 60)
    tick(world.app)
    world.pump()

    expected.sent_before = frozenset()
    expected.not_ours |= expected.put_there  # it finds them on the list
    _must_be_as(expected, world)


@every_version
def test_after_the_upgrade_nothing_is_sent_that_has_not_changed(folder: Path) -> None:
    world = stored_records.load(folder)
    world.pump()

    again = world.run()

    assert again.status == "completed_with_rejects"  # the two odd rows are still there
    assert (again.counts.to_send, again.counts.to_remove) == (0, 0)


@every_version
def test_what_a_newer_version_knows_beside_lives_through_a_run_of_this_one(folder: Path) -> None:
    world = stored_records.load(folder)
    expected = Expected(world)
    before = _told_more(world)
    etags = _etags(world)

    world.pump()

    _must_be_as(expected, world)
    changed = {name for name, etag in _etags(world).items() if etag != etags.get(name) and name in before}
    assert {re.sub(r".*/", "", name) for name in changed} >= {"run.json", "00001.json"}
    lost = {place for place in _lost(world, before) if not place.endswith(": .partly")}  # that batch is done now
    assert lost == {f"exports/{EXPORT}/active.json: it is gone"}


def test_what_a_newer_version_knows_beside_lives_through_every_change_by_this_one() -> None:
    world = stored_records.load(stored_records.NOW)
    app = world.app
    (run, *_) = app.runs.newest(EXPORT)
    later = app.clock.now() + timedelta(minutes=1)
    before = _told_more(world)
    etags = _etags(world)

    cancel(app, EXPORT, run.id, by=JANE)
    app.claims.heartbeat(EXPORT, run.id, later)
    app.results(run).save(1, SliceResult(batches=3, done={1: BatchResult(added=10)}))
    keys = Keys(app.state)
    binding = keys.bind(run, "the third", mode_asked=False, since=run.created_at)
    keys.rebind(EXPORT, "the third", binding, run.id)
    note_snapshots(app.state, EXPORT, run.snapshots)
    note_tick(app.state, later)
    with listening(api.create(lambda: app, caller_of)) as url:
        for path in (f"/api/exports/{EXPORT}", "/api/connections/newsletter"):
            document = requests.get(url + path, timeout=60).json()
            answer = requests.put(url + path, json=document | {"display_name": "Another"}, timeout=60)
            assert answer.status_code == 200, answer.text

    untouched = {name for name, etag in etags.items() if _etags(world).get(name) == etag}
    of_this_run = {name for name in before if run.id in name or not name.startswith(("runs/", "idempotency/"))}
    assert of_this_run & untouched == {f"runs/{EXPORT}/{run.id}/{run.attempt}/results/00000.json"}
    assert _lost(world, before) == set()

    remove_connection(app, "newsletter", "detach", by=JANE, only_if=Precondition())
    assert app.catalog.export(EXPORT).connection is None
    assert _lost(world, before) == {"connections/newsletter.json: it is gone"}


def test_answers_stay_those_of_the_version_that_a_newer_one_says_they_are() -> None:
    world = stored_records.load(stored_records.NOW)
    (run, *_) = world.app.runs.newest(EXPORT)
    results = world.app.results(run)
    name = f"runs/{EXPORT}/{run.id}/{run.attempt}/results/00001.json"
    blob = world.state.read(name)
    assert blob
    world.state.write(name, json.dumps(json.loads(blob.data) | {"v": 2}).encode(), metadata=blob.metadata)

    results.save(1, SliceResult(batches=3, done={1: BatchResult(added=10)}))

    written = world.state.read(name)
    assert written
    assert json.loads(written.data)["v"] == 2


def test_what_belonged_to_another_is_not_kept_with_what_stands_in_its_place() -> None:
    """A run that holds an export in place of another, a key that stands for a new run, a snapshot that is newer, a
    column that takes the place of another: what was known of the other is not true of it."""
    world = stored_records.load(stored_records.NOW)
    app = world.app
    (run, *_) = app.runs.newest(EXPORT)
    _told_more(world)
    tomorrow = app.clock.now() + timedelta(days=2)
    newer = run.model_copy(update={"id": "20261125T100000000-00000001", "created_at": tomorrow})

    app.claims.take(EXPORT, newer.id, now=tomorrow, is_live=lambda _: False)
    assert Keys(app.state).bind(newer, "the third", mode_asked=False, since=newer.created_at).run == newer.id
    note_snapshots(app.state, EXPORT, [one.model_copy(update={"path": "…/2026/11/27/0900"}) for one in run.snapshots])
    export = app.catalog.export(EXPORT)
    city, birth_date = export.mapping.custom_fields
    fields = (birth_date.model_copy(update={"column": "Born"}), city.model_copy(update={"key": "Town"}))
    mapping = export.mapping.model_copy(update={"custom_fields": fields})
    app.catalog.save(export.model_copy(update={"mapping": mapping}), by=JANE)

    key = f"idempotency/{EXPORT}/{hashlib.sha256(b'the third').hexdigest()}.json"
    assert LATER not in _json(world.state, f"exports/{EXPORT}/active.json")
    assert LATER not in _json(world.state, key)
    assert LATER not in _json(world.state, f"exports/{EXPORT}/snapshots.json")[0]
    stored = _json(world.catalog, f"exports/{EXPORT}.json")["mapping"]["custom_fields"]
    assert [LATER in one for one in stored] == [True, False]


def test_a_message_with_more_in_it_is_worked_off_and_put_back_with_that() -> None:
    world = stored_records.load(stored_records.NOW)
    (run, *_) = world.app.runs.newest(EXPORT)
    taken = world.take()
    assert taken
    more = json.dumps(json.loads(taken.text) | {LATER: {"and": 1}})
    world.queue.done(taken)
    world.queue.put(more)
    lease = world.state.lease(lock_name(run, "slice-00001"), 30)

    world.pump(1)
    (put_back,) = (json.loads(message.text) for message in world.queue.lying())
    assert _says(put_back, json.loads(more))

    lease.release()
    world.pump()
    assert world.app.runs.get(EXPORT, run.id).ended


def test_the_api_shows_nothing_of_a_newer_version_and_takes_nothing_that_it_does_not_know() -> None:
    world = stored_records.load(stored_records.NOW)
    _told_more(world)
    with listening(api.create(lambda: world.app, caller_of)) as url:
        for path in ("connections", "connections/newsletter", "exports", f"exports/{EXPORT}", f"exports/{EXPORT}/runs"):
            answer = requests.get(f"{url}/api/{path}", timeout=60)
            assert answer.status_code == 200
            assert LATER not in answer.text

        known = requests.get(f"{url}/api/exports/{EXPORT}", timeout=60).json()
        for place in ((), ("mapping",), ("mapping", "custom_fields", 0)):
            answer = requests.put(f"{url}/api/exports/{EXPORT}", json=_with_one_more(known, place), timeout=60)
            assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
            assert "is not a known field" in answer.text
        known = requests.get(f"{url}/api/connections/newsletter", timeout=60).json()
        for place in ((), ("consent",)):
            answer = requests.put(f"{url}/api/connections/newsletter", json=_with_one_more(known, place), timeout=60)
            assert answer.status_code == 400
            assert "is not a known field" in answer.text
        answer = requests.post(f"{url}/api/exports/{EXPORT}/runs", json={LATER: 1}, timeout=60)
        assert answer.status_code == 400


def test_a_parquet_file_with_one_more_column_is_read(tmp_path: Path) -> None:
    """What a newer version keeps of an address stays with those to whom nothing has happened since; of those who were
    answered anew it is null. Of slices, which only one run reads, nothing is kept."""
    world = stored_records.load(stored_records.NOW)
    expected = Expected(world)
    names = [acknowledged.name(EXPORT, LIST)]
    names += [info.name for info in world.state.list(f"runs/{EXPORT}/{expected.run.id}/") if "/slices/" in info.name]
    assert len(names) == 5
    for name in names:
        blob = world.state.read(name)
        assert blob
        # By a name that a query of this version uses for something of its own.
        for column in ("code", "batch", LATER):
            blob = replace(blob, data=_with_column(blob.data, column, tmp_path))
        world.state.write(name, blob.data)

    world.pump()

    _must_be_as(expected, world)
    rows = _parquet(world, names[0])
    sent = {f"user{number}@example.com" for number in [0, *range(10, 50), *range(70, 75)]}
    assert {row["email"] for row in rows if row[LATER] == 1} == {row["email"] for row in rows} - sent - {
        "user3@example.com",
        "user4@example.com",
    }
    world.pump()
    assert world.run().counts.to_send == 0


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
        held = {row["email"]: row["state"] for row in _parquet(world, acknowledged.name(EXPORT, LIST))}
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
        there_before = {row["address"] for row in _parquet(world, already_listed_name(self.run))}
        self.put_there = {
            email
            for email in self.sent_before - held.keys()
            if hashlib.md5(email.encode()).hexdigest() not in there_before
        }
        self.not_ours = on_list & people.keys() - added - self.put_there
        self.deleted = {email for email, state in held.items() if state == State.DELETED} - people.keys() | self.removed
        self.rejects = _csv(world, self.run)

    def _sent(self, world: MemoryWorld) -> Iterator[str]:
        for number, result in enumerate(_results(world, self.run)):
            rows = _parquet(world, slice_name(self.run, number))
            for batch, answer in result.answered.items():
                size = world.app.sizes.batch
                sent = set(range(batch * size, (batch + 1) * size)) - set(answer.unanswered)
                yield from (row["email"] for place, row in enumerate(rows) if place in sent)


def _must_be_as(expected: Expected, world: MemoryWorld, by: Run | None = None) -> None:
    run = world.app.runs.get(EXPORT, (by or expected.run).id)
    assert world.errors == []
    assert run.status == "completed_with_rejects"
    assert balances(run)
    if by is None:
        assert run.counts.refused == len(expected.refused)
        assert run.counts.removed == run.counts.to_remove == len(expected.removed)
        assert _csv(world, run)[: len(expected.rejects)] == expected.rejects
        refused = [row[4] for row in _csv(world, run)[len(expected.rejects) :]]
        assert sorted(refused) == sorted(expected.refused)
    assert expected.rejects and run.counts.unsent == 0
    active = {email: one["fields"].get("City") for email, one in world.service.active().items()}
    assert active.keys() == expected.active.keys()
    assert {email: city for email, city in expected.active.items() if city} == {
        email: active[email] for email, city in expected.active.items() if city
    }
    states = {row["email"]: row["state"] for row in _parquet(world, acknowledged.name(EXPORT, LIST))}
    assert {email for email, state in states.items() if state in HELD} == expected.held
    assert {email for email, state in states.items() if state == State.CONFIRMED} == expected.not_ours
    assert {email for email, state in states.items() if state == State.DELETED} == expected.deleted
    sent = [email for call in world.service.imports for email in call]
    assert not expected.sent_before & set(sent)
    assert world.app.claims.held(EXPORT) is None
    assert start(world.app, EXPORT, "on-demand", key="the third")[0].id == expected.run.id


def _told_more(world: MemoryWorld) -> dict[str, Any]:
    """Puts a field that this version does not know into every record, at every level; returns them as they are now."""
    told = {}
    for blobs in (world.state, world.catalog):
        for info in [*blobs.list("", metadata=True)]:
            if info.name.endswith(".json"):
                told[info.name] = _more(_json(blobs, info.name))
                marks = info.metadata | ({LATER: "1"} if info.metadata else {})
                blobs.write(info.name, json.dumps(told[info.name]).encode(), metadata=marks)
    messages = [json.loads(message.text) for message in world.queue.lying()]
    while taken := world.take():
        world.queue.done(taken)
    for message in messages:
        world.queue.put(json.dumps(_more(message)))
    return told


def _more(value: Any) -> Any:
    if isinstance(value, dict):
        more = {name: _more(one) for name, one in value.items()}
        return more if value and all(name.isdecimal() for name in value) else more | {LATER: {"and": [1, None]}}
    return [_more(one) for one in value] if isinstance(value, list) else value


def _lost(world: MemoryWorld, before: dict[str, Any]) -> set[str]:
    """Where the field was, and is no more."""
    lost = set()
    for name, old in before.items():
        blob = world.state.read(name) or world.catalog.read(name)
        if blob is None:
            lost.add(f"{name}: it is gone")
        else:
            lost |= {f"{name}: {place}" for place in _missing(old, json.loads(blob.data), "")}
            if "/results/" in name and LATER not in blob.metadata:
                lost.add(f"{name}: metadata")
    return lost


def _missing(old: Any, new: Any, place: str) -> Iterator[str]:
    if isinstance(old, dict):
        if not isinstance(new, dict):
            yield place  # null now
            return
        for name, value in old.items():
            if name == LATER:
                yield from [] if new.get(LATER) == value else [f"{place}.{LATER}"]
            elif isinstance(value, dict | list):
                yield from _missing(value, new.get(name), f"{place}.{name}")
    elif isinstance(old, list):
        for number, value in enumerate(old):
            yield from _missing(value, new[number], f"{place}.{number}")


def _with_one_more(document: dict[str, Any], place: tuple[Any, ...]) -> dict[str, Any]:
    copy = json.loads(json.dumps(document))
    at = copy
    for name in place:
        at = at[name]
    at[LATER] = 1
    return copy


def _with_column(data: bytes, name: str, folder: Path) -> bytes:
    before, after = folder / "before.parquet", folder / "after.parquet"
    before.write_bytes(data)
    duckdb.connect().execute(f"COPY (SELECT 1 AS {name}, * FROM '{before}') TO '{after}' (FORMAT parquet)")
    return after.read_bytes()


def _parquet(world: MemoryWorld, name: str) -> list[dict[str, Any]]:
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        assert world.state.download(name, Path(file.name))
        found = duckdb.connect().execute("FROM read_parquet(?)", [file.name])
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _csv(world: MemoryWorld, run: Run) -> list[list[str]]:
    text = b"".join(world.app.rejects(run).chunks()).decode("utf-8-sig")
    return list(csv.reader(text.splitlines()))[1:]


def _results(world: MemoryWorld, run: Run) -> list[SliceResult]:
    results = world.app.results(run)
    return [result for number, _ in results.totals() if (result := results.get(number))]


def _json(blobs: Any, name: str) -> Any:
    return json.loads(blobs.read(name).data)


def _says(said: Any, stored: Any) -> bool:
    """Whether all that is stored is said."""
    if isinstance(stored, dict):
        return all(name in said and _says(said[name], value) for name, value in stored.items())
    if isinstance(stored, list):
        return len(said) == len(stored) and all(map(_says, said, stored))
    return bool(said == stored)


def _etags(world: MemoryWorld) -> dict[str, str]:
    return {info.name: info.etag for blobs in (world.state, world.catalog) for info in blobs.list("")}
