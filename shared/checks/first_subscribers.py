"""The first profiles of an export as Campaign Monitor would get them, with masked addresses."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from shared.catalog.documents import Mapping
from shared.parts import App
from shared.plan.planner import Planner
from shared.ports.destination import Field
from shared.record.duckdb_workspace import Workspace
from shared.record.rejects import Reject
from shared.segments.snapshots import Snapshot

SUBSCRIBERS = 10
_ROWS = 100  # read of a partition, at most


class _Shown(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PreviewedSubscriber(_Shown):
    """``email`` and ``mobile_number`` are masked; an empty custom field is one that will be cleared."""

    email: str
    name: str | None = None
    mobile_number: str | None = None
    custom_fields: dict[str, str] = {}


class TurnedDown(_Shown):
    """Why a profile among those that were read is not sent, as ``rejects.csv`` would say it."""

    reason: str
    message: str


class Preview(_Shown):
    """Up to SUBSCRIBERS, in the order of the files, and what was turned down on the way to them."""

    subscribers: tuple[PreviewedSubscriber, ...] = ()
    turned_down: tuple[TurnedDown, ...] = ()


def preview(app: App, snapshots: tuple[Snapshot, ...], mapping: Mapping, fields: dict[str, Field]) -> Preview:
    """Reads the beginning of as few partitions of the ``snapshots``, one at least, as it takes. Raises SegmentError."""
    shown: list[PreviewedSubscriber] = []
    with app.workspace() as work:

        def show(_: int, slice_: Path) -> None:
            shown.extend(_subscribers(work, slice_))

        planned = Planner(
            work,
            mapping,
            fields,
            threads=app.threads,
            sizes=app.sizes,
            acknowledged=None,
            slice_ready=show,
        )
        for snapshot, partition in [(one, each) for one in snapshots for each in one.partitions]:
            # Each is read as if it were alone: what is turned down is shown without its place.
            alone = replace(snapshot, partitions=(partition,))
            read = partial(app.segments.chunks, partition.path, partition.etag)
            planned.read_beginning(alone, (0, 0), read, rows=_ROWS)
            if planned.account.to_send >= SUBSCRIBERS:
                break
        planned.close()
        rejects = planned.rejects((alone,))
        return Preview(subscribers=tuple(shown[:SUBSCRIBERS]), turned_down=tuple(map(_turned_down, rejects)))


def masked(address: str) -> str:
    """``j***@e***.com`` of ``jonas@example.com``."""
    local, _, domain = address.rpartition("@")
    first, _, rest = domain.rpartition(".")
    return f"{local[:1]}***@{first[:1]}***.{rest}" if local else "***"


def _subscribers(work: Workspace, slice_: Path) -> list[PreviewedSubscriber]:
    rows = work.connection.execute("SELECT body FROM read_parquet(?)", [str(slice_)]).fetchmany(SUBSCRIBERS)
    return [_subscriber(json.loads(body)) for (body,) in rows]


def _subscriber(body: dict[str, Any]) -> PreviewedSubscriber:
    number = body.get("MobileNumber")
    return PreviewedSubscriber(
        email=masked(body["EmailAddress"]),
        name=body.get("Name"),
        mobile_number=f"{number[:3]}***{number[-2:]}" if number else number,
        custom_fields={field["Key"]: field["Value"] for field in body.get("CustomFields", [])},
    )


def _turned_down(reject: Reject) -> TurnedDown:
    return TurnedDown(reason=reject.reason, message=reject.message)
