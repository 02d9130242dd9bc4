"""What the timer does: looks after the runs that there are, then starts what is due."""

import logging
from collections.abc import Iterable
from datetime import datetime

from shared.catalog.documents import Export
from shared.errors import ExportError, Unreadable, defect
from shared.parts import App
from shared.plan import pinned_snapshots
from shared.record import telemetry
from shared.record.run_record import Run
from shared.runs import due as schedule
from shared.runs.due import Due
from shared.runs.idempotency import Keys
from shared.runs.last_tick import last_tick, note_tick
from shared.runs.start import NoLongerDue, drop_orphans, start
from shared.runs.sweep import sweep

_log = logging.getLogger(__name__)


def tick(app: App) -> list[Run]:
    """Returns the runs that it started. An export that cannot be looked at does not keep the others from their turn."""
    begun = app.clock.now()
    sweep(app)
    exports, looked_at, started, seen = 0, 0, [], _seen(app)
    for export in app.catalog.exports(unreadable=lambda id_: _tell_not_started(id_, Unreadable(id_).code)):
        exports += 1
        try:
            drop_orphans(app, export, seen=seen)
            looked_at += 1
            due = _due(app, export, app.runs.newest(export.id))
            if due:
                run, is_new = start(app, export.id, due.trigger, key=due.key, answers=due)
                started += [run] if is_new else []
        except NoLongerDue as changed:
            _log.info("%s was not started: %s", export.id, changed)
        except Exception as error:  # whatever is wrong with one export, the others have their turn
            known = error if isinstance(error, ExportError) else defect(error)
            _log.warning("%s was not started: %s", export.id, known, exc_info=known.__cause__)
            _tell_not_started(export.id, known.code)
    Keys(app.state).clean(app.clock.now())
    if seen or looked_at == exports:  # else the next one looks as far back again
        note_tick(app.state, begun)
    telemetry.tell("tick", exports=exports, started=len(started))
    return started


def _tell_not_started(export: str, error: str) -> None:
    telemetry.tell("not_started", export=export, error=error)


def _seen(app: App) -> datetime | None:
    """Since when the tick before this one looked at all exports; None where nobody knows."""
    try:
        return last_tick(app.state)
    except Unreadable:
        return None


def _due(app: App, export: Export, runs: Iterable[Run]) -> Due | None:
    """``runs`` are those of the export, the newest first. What they answer is noted, where it was not when they ended:
    by a version before, or since whoever ended them died."""
    if not export.enabled or export.schedule is None or export.connection is None:
        return None
    if export.schedule == "refresh":
        newest = [pinned_snapshots.used(one) for one in pinned_snapshots.newest(app, export)]
        used, noted = schedule.last_snapshots(runs), schedule.noted_snapshots(app.state, export.id)
        if used and used != noted:
            schedule.note_snapshots(app.state, export.id, used)
        return schedule.new_snapshots(used or noted, newest)
    latest = schedule.latest_time(export, since=app.catalog.scheduled_at(export), now=app.clock.now())
    answered = schedule.noted_time(app.state, export.id)
    if latest is None or (answered and answered >= latest):
        return None
    if schedule.is_answered(latest, runs):
        schedule.note_time(app.state, export.id, latest)
        return None
    return schedule.due_time(export, latest)
