"""What a newer version wrote beside lives through this one: fields, columns, and what a message says."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import requests
import stored_records
from expected_records import Expected, every_version, json_of, must_be_as, parquet, says
from http_world import caller_of, listening
from memory_world import EXPORT, JANE, LIST, MemoryWorld

from shared.catalog.documents import Consent
from shared.catalog.store import Precondition
from shared.record import acknowledged
from shared.record.batch_results import BatchResult, SliceResult
from shared.record.blob_places import lock_name
from shared.runs.cancel import cancel
from shared.runs.delete_configuration import remove_connection
from shared.runs.due import note_snapshots
from shared.runs.idempotency import Keys
from shared.runs.last_tick import note_tick
from shared.web import api

LATER = "later"  # a field that a newer version has


@every_version
def test_what_a_newer_version_knows_beside_lives_through_a_run_of_this_one(folder: Path) -> None:
    world = stored_records.load(folder)
    expected = Expected(world)
    before = _told_more(world)
    etags = _etags(world)

    world.pump()

    must_be_as(expected, world)
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
    connection = app.catalog.connection("newsletter")
    consent = Consent(agreed_by="bob@example.com", agreed_at=tomorrow)
    app.catalog.save(connection.model_copy(update={"consent": consent}), by="bob@example.com")

    key = f"idempotency/{EXPORT}/{hashlib.sha256(b'the third').hexdigest()}.json"
    assert LATER not in json_of(world.state, f"exports/{EXPORT}/active.json")
    assert LATER not in json_of(world.state, key)
    assert LATER not in json_of(world.state, f"exports/{EXPORT}/snapshots.json")[0]
    stored = json_of(world.catalog, f"exports/{EXPORT}.json")["mapping"]["custom_fields"]
    assert [LATER in one for one in stored] == [True, False]
    kept = json_of(world.catalog, "connections/newsletter.json")
    assert (LATER in kept, LATER in kept["consent"]) == (True, False)


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
    assert says(put_back, json.loads(more))

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

    must_be_as(expected, world)
    rows = parquet(world, names[0])
    sent = {f"user{number}@example.com" for number in [0, *range(10, 50), *range(70, 75)]}
    assert {row["email"] for row in rows if row[LATER] == 1} == {row["email"] for row in rows} - sent - {
        "user3@example.com",
        "user4@example.com",
    }
    world.pump()
    assert world.run().counts.to_send == 0


def _told_more(world: MemoryWorld) -> dict[str, Any]:
    """Puts a field that this version does not know into every record, at every level; returns them as they are now."""
    told = {}
    for blobs in (world.state, world.catalog):
        for info in [*blobs.list("", metadata=True)]:
            if info.name.endswith(".json"):
                told[info.name] = _more(json_of(blobs, info.name))
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


def _etags(world: MemoryWorld) -> dict[str, str]:
    return {info.name: info.etag for blobs in (world.state, world.catalog) for info in blobs.list("")}
