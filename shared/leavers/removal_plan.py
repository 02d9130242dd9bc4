"""The part of the planning step that is about leavers: who they are, and whether they go."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.catalog.documents import Export
from shared.errors import ConfigurationError, NotFound
from shared.leavers.removal_guard import doubt, objection
from shared.leavers.who_left import Leavers
from shared.parts import App
from shared.record import acknowledged
from shared.record.duckdb_workspace import Workspace
from shared.record.run_record import Problem, Run


@dataclass(frozen=True)
class Removal:
    """What the run does about leavers: ``to_remove`` of them in ``slices``, which have ``rows``; nothing, where it is
    ``guarded`` (then it fails for that) or has a ``warning``."""

    to_remove: int = 0
    slices: int = 0
    rows: int = 0
    guarded: Problem | None = None
    warning: Problem | None = None


def plan_removal(
    app: App,
    run: Run,
    export: Export,
    work: Workspace,
    before: Path | None,
    *,
    malformed: int,
    empty: Sequence[str],
    first_slice: int,
    slice_ready: Callable[[int, Path], None],
) -> Removal:
    """Call it when the whole plan is made. ``before`` is the acknowledged file, ``empty`` are the segments that gave
    nothing."""
    leavers = Leavers(work, before, _held_by_others(app, export, work.folder))
    departure = leavers.departure
    guarded = warning = None
    if not run.confirm_removals:
        guarded = objection(departure, most_percent=export.max_removal_percent, empty=empty)
        warning = None if guarded else doubt(malformed)
    if not departure.to_remove:
        # Nothing of the list is at stake.
        if guarded or warning:
            return Removal()
    elif guarded or warning:
        return Removal(to_remove=departure.to_remove, guarded=guarded, warning=warning)
    slices, rows = leavers.give_slices(first_slice, app.sizes.leavers, slice_ready)
    return Removal(to_remove=departure.to_remove, slices=slices, rows=rows)


def _held_by_others(app: App, export: Export, folder: Path) -> Iterator[Path]:
    """What the other enabled exports to the same list have acknowledged. One whose document cannot be read counts:
    better a subscriber too many on the list than one too few."""
    for info in app.state.list("exports/"):
        other = info.name.split("/")[1]
        if other == export.id or info.name != acknowledged.name(other, export.list_id):
            continue
        try:
            document = app.catalog.export(other)
        except NotFound:
            continue
        except ConfigurationError:
            document = None
        if document is None or (document.enabled and document.list_id == export.list_id):
            file = folder / f"{other}.parquet"
            with file.open("wb") as target:
                target.writelines(app.state.chunks(info.name, info.etag))
            yield file
            file.unlink()
