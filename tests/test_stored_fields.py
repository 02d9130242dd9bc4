"""Every field of every stored record, as some version wrote it: each is read, and the newest is what this one writes.

``tests/stored/every_field.json`` has a list for each kind, the newest first. Where a record comes to be written in
another way, the new one is put before the others, which stay: every later version reads them all.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import stored_records
from pydantic import BaseModel

from shared.catalog.documents import Connection, Export
from shared.record.batch_results import SliceResult
from shared.record.export_claim import Claim
from shared.record.run_record import Run
from shared.record.step_outcome import Message
from shared.runs import due, idempotency, last_tick
from shared.stored_record import read, written

RECORDS: dict[str, list[dict[str, Any]]] = json.loads((stored_records.STORED / "every_field.json").read_text())
KINDS: dict[str, type[BaseModel]] = {
    "run": Run,
    "claim": Claim,
    "key": idempotency._Bound,
    "tick": last_tick._Tick,
    "answered": due._Answered,
    "results": SliceResult,
    "message": Message,
    "export": Export,
    "connection": Connection,
}
# What has one value alone.
CONSTANT = {"Message.v"}
every_kind = pytest.mark.parametrize(("kind", "model"), KINDS.items(), ids=[*KINDS])


@every_kind
def test_each_record_is_read_and_the_newest_is_what_is_written(kind: str, model: type[BaseModel]) -> None:
    known = [read(model, json.dumps(one).encode(), kind) for one in RECORDS[kind]]

    assert json.loads(written(known[0])) == RECORDS[kind][0]


@every_kind
def test_the_newest_record_has_every_field_with_another_value_than_none(kind: str, model: type[BaseModel]) -> None:
    newest = read(model, json.dumps(RECORDS[kind][0]).encode(), kind)

    assert sorted(set(_as_if_left_out(newest)) - CONSTANT) == []


@every_kind
def test_a_time_is_written_with_its_zone(kind: str, model: type[BaseModel]) -> None:
    newest = read(model, json.dumps(RECORDS[kind][0]).encode(), kind)

    assert [one for one in _values(newest) if isinstance(one, datetime) and one.tzinfo is None] == []


def _as_if_left_out(record: BaseModel) -> Iterator[str]:
    """Fields that have the value that they have where a record does not tell them."""
    for name, field in type(record).model_fields.items():
        if not field.is_required() and getattr(record, name) == field.get_default(call_default_factory=True):
            yield f"{type(record).__name__}.{name}"
    within = [one for one in _values(record) if isinstance(one, BaseModel)]
    told = {name for one in within for name in _told(one)}
    for one in within:
        yield from (name for name in _as_if_left_out(one) if name not in told)


def _told(record: BaseModel) -> Iterator[str]:
    """A field may be told in one entry of a list, and in another not."""
    for name, field in type(record).model_fields.items():
        if field.is_required() or getattr(record, name) != field.get_default(call_default_factory=True):
            yield f"{type(record).__name__}.{name}"


def _values(record: BaseModel) -> Iterator[Any]:
    for name in type(record).model_fields:
        value = getattr(record, name)
        if isinstance(value, tuple):
            yield from value
        elif isinstance(value, dict):
            yield from value.values()
        else:
            yield value
