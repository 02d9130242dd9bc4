"""Stored records as fixtures: the blobs and messages in the middle of a run, as some version of the app left them.

Each folder of ``tests/stored`` is of one version; ``now`` is what the present one writes. Where it comes to write
another shape, ``make stored NAME=…`` keeps ``now`` under a name that says what it lacks, for every later version to
read, and writes it anew.
"""

import json
import re
import sys
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
from memory_world import API, EXPORT, JANE, LIST, InProcess, MemoryWorld, OneThread, told_of
from world import csv_rows, person

from local.memory.blobs import MemoryBlobs
from local.memory.clock import MORNING, ManualClock
from shared.campaign_monitor.account import Account, Accounts
from shared.ports.destination import Imported
from shared.record.slices import Sizes
from shared.runs.cancel import cancel
from shared.runs.start import start
from shared.runs.tick import tick

STORED = Path(__file__).with_name("stored")
NOW = STORED / "now"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)")
# What differs in the names of blobs from one run to the next.
_VARIABLE = (
    (r"\d{8}T\d{9}-[0-9a-f]{8}", "{run}"),
    (r"/\d\d-[0-9a-f]{8}/", "/{attempt}/"),
    (r"/\d{5}\.", "/{n}."),
    (r"slice-\d{5}", "slice-{n}"),
    (r"[0-9a-f]{64}", "{hash}"),
    (LIST, "{list}"),
    (r"\d{4}/\d\d/\d\d/\d{4}", "{time}"),
)


def versions() -> list[Path]:
    return sorted(path for path in STORED.iterdir() if path.is_dir())


def load(folder: Path) -> MemoryWorld:
    """A world in which that version has just been replaced by this one."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    clock = ManualClock(datetime.fromisoformat(manifest["taken_at"]) + timedelta(seconds=60))
    world = MemoryWorld(clock, sizes=Sizes(**manifest["sizes"]))
    for path, about in manifest["blobs"].items():
        container, _, name = path.partition("/")
        _put(_containers(world)[container], name, (folder / path).read_bytes(), about)
    world.service.hold(*json.loads((folder / "list.json").read_text(encoding="utf-8")))
    for message in manifest["queue"]:
        world.queue.put(json.dumps(message))
    return world


def keep(world: MemoryWorld, folder: Path) -> None:
    blobs: dict[str, Any] = {}
    for container, kept in _containers(world).items():
        for info in kept.list("", metadata=True):
            path = f"{container}/{info.name}"
            stored = kept._blobs[info.name]  # the port does not tell the sizes of its blocks
            about: dict[str, Any] = {"metadata": stored.metadata} if stored.metadata else {}
            if stored.blocks:
                about["blocks"] = [{"id": id_, "bytes": len(data)} for id_, data in stored.blocks]
            blobs[path] = about
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(stored.data)
    manifest = {
        "taken_at": world.clock.now().isoformat(),
        "sizes": world.app.sizes.__dict__,
        "blobs": blobs,
        "queue": [json.loads(message.text) for message in world.queue.lying()],
    }
    lines = [json.dumps(told_of(one), ensure_ascii=False) for one in world.service.listed()]
    (folder / "list.json").write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


class OneCall(Accounts):
    """Nothing more is asked of an account after its first import."""

    def open(self, *arguments: Any, **named: Any) -> Account:
        account = super().open(*arguments, **named)
        really = account.import_subscribers

        def first(*arguments: Any, **named: Any) -> Imported:
            imported = really(*arguments, **named)
            account.interrupt()
            return imported

        account.import_subscribers = first  # type: ignore[method-assign]
        return account


def middle_of_a_run() -> MemoryWorld:
    """Runs of several endings; then one that has sent its first slice and the second but for a person who is to be put
    back, while the slice of leavers waits."""
    world = MemoryWorld(ManualClock(MORNING))
    app = world.app
    world.save(removals="delete")
    world.service.hold(_one(5, "Active"), _one(20, "Unsubscribed"))
    world.put_rows(_rows(range(70)), at="2026/11/23/0900")
    tick(app)
    world.pump()
    world.clock.sleep(3600)
    world.put_rows(_rows(range(3, 70)), at="2026/11/24/0900")
    tick(app)
    world.pump()
    start(app, EXPORT, "on-demand", audit=True, requested_by=JANE)
    world.pump()
    world.put_rows(_rows(range(3, 13)), at="2026/11/24/1200")
    start(app, EXPORT, "on-demand", requested_by=JANE)
    world.pump()
    cancel(app, EXPORT, start(app, EXPORT, "on-demand", mode="everything", requested_by=JANE)[0].id, by=JANE)
    world.pump()
    opted_out = (_one(12, "Unsubscribed"), _one(33, "Unsubscribed"), _one(40, "Bounced"))
    world.service.hold(*opted_out, _one(70, "Active"))
    odd = csv_rows(person(80, EMail="nobody"), person(81, EMail="USER6@example.com"))
    world.put_rows(_rows([0, *range(6, 75)], moved=range(10, 50)) + odd, at="2026/11/25/0900")
    start(app, EXPORT, "on-demand", key="the third", requested_by=JANE)
    world.pump(2)
    short = {"invocation_seconds": -1, "checkpoint_seconds": 0}
    world.pump(2, world.new_app(**short))
    one_call = OneCall(API, world.clock, OneThread(), lambda _: InProcess(world.service))
    world.pump(1, world.new_app(destinations=one_call, **short))
    tick(app)
    for info in [*world.segments.list("")]:
        if "/2026/11/2" in info.name and "/25/0900/" not in info.name:
            world.segments.delete(info.name)  # nobody reads them any more
    return world


def shape(folder: Path) -> dict[str, Any]:
    """Of each kind of record, and of each message, how it looks: names and types, whatever the values."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    shapes: dict[str, Any] = {"a message": _merged(map(_shape, manifest["queue"]))}
    for path, about in manifest["blobs"].items():
        if not path.startswith("customerinsights/"):
            kind = path
            for pattern, name in _VARIABLE:
                kind = re.sub(pattern, name, kind)
            seen = {"is": _shape_of_file(folder / path), "metadata": _shape(about.get("metadata", {}))}
            shapes[kind] = _merged([shapes[kind], seen]) if kind in shapes else seen
    return shapes


def _shape_of_file(file: Path) -> Any:
    if file.suffix == ".json":
        return _shape(json.loads(file.read_bytes()))
    if file.suffix == ".parquet":
        rows = duckdb.connect().execute("DESCRIBE FROM read_parquet(?)", [str(file)]).fetchall()
        return {name: kind for name, kind, *_ in rows}
    return file.read_text(encoding="utf-8-sig").partition("\n")[0]


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        if all(name.isdecimal() for name in value):
            return {"{n}": _merged(map(_shape, value.values()))}
        return {name: _shape(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_merged(map(_shape, value))]
    return "time" if isinstance(value, str) and _TIME.fullmatch(value) else type(value).__name__


def _merged(shapes: Iterable[Any]) -> Any:
    """What all of them may be."""
    found: list[Any] = []
    for one in shapes:
        found += [one] if one not in found and one is not None else []
    if not found:
        return None
    if all(isinstance(one, dict) for one in found):
        names = {name: None for one in found for name in one}
        return {name: _merged(one.get(name) for one in found) for name in names}
    if all(isinstance(one, list) for one in found):
        return [_merged(one for some in found for one in some)]
    flat = {str(word) for one in found for word in (one.split(" or ") if isinstance(one, str) else [one])}
    return found[0] if len(found) == 1 else " or ".join(sorted(flat))


def _containers(world: MemoryWorld) -> dict[str, MemoryBlobs]:
    return {one.name: one for one in (world.state, world.catalog, world.segments)}


def _put(blobs: MemoryBlobs, name: str, data: bytes, about: dict[str, Any]) -> None:
    begin = 0
    for block in about.get("blocks", ()):
        blobs.stage(name, block["id"], data[begin : begin + block["bytes"]])
        begin += block["bytes"]
    if begin:
        blobs.commit(name, [block["id"] for block in about["blocks"]])
    else:
        blobs.write(name, data, metadata=about.get("metadata"))


def _one(number: int, state: str) -> dict[str, str]:
    return {"email": f"user{number}@example.com", "state": state}


def _rows(numbers: Iterable[int], moved: Iterable[int] = ()) -> str:
    return csv_rows(*(person(one, City="Vilnius") if one in moved else person(one) for one in numbers))


if __name__ == "__main__":
    if NOW.exists():
        kept_as = "".join(sys.argv[1:])
        assert kept_as and not (STORED / kept_as).exists(), "NAME is that under which what is there is kept: a new one."
        NOW.rename(STORED / kept_as)
    keep(middle_of_a_run(), NOW)
