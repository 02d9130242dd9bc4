"""A run begins: the one that holds its export, and whoever asks twice gets it twice."""

import logging
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from shared.catalog.documents import Export
from shared.errors import Changed, Conflict, ExportError, NotFound, Unreadable
from shared.parts import App
from shared.ports.compare_and_swap import MOST_ATTEMPTS
from shared.record import telemetry
from shared.record.export_claim import Claim, Taken
from shared.record.run_record import Mode, Run, Trigger, run_id
from shared.record.step_outcome import Next
from shared.runs import sweep
from shared.runs.commit import note_answered, tell_ended
from shared.runs.due import Due, last_snapshots, new_snapshots
from shared.runs.idempotency import Keys

_log = logging.getLogger(__name__)

# Beside sweep.SILENT, for a tick that took long, or did not get to an export, and for clocks that differ.
_ORPHANS_FOR = timedelta(hours=1)


class NoLongerDue(Exception):
    """Whoever found it due read the export before somebody paused it, or gave it another schedule."""


def start(
    app: App,
    export_id: str,
    trigger: Trigger,
    *,
    mode: Mode | None = None,
    dry_run: bool = False,
    confirm_removals: bool = False,
    audit: bool = False,
    requested_by: str | None = None,
    key: str | None = None,
    answers: Due | None = None,
) -> tuple[Run, bool]:
    """The run that holds the export, and whether it is a new one: an export has one run at a time. With a ``key`` that
    was used within a day it is the run of then.

    Raises Conflict where the one at work is not what is asked for, or is being stopped, ConfigurationError where the
    export may not run, or not like this now, NoLongerDue where what the run ``answers`` is not wanted any more.
    """
    export = _export(app, export_id, answers)
    app.agreed(export)
    now = app.clock.now()
    run = Run(
        id=run_id(now, app.new_suffix()),
        export=export.id,
        trigger=trigger,
        requested_by=requested_by,
        due_at=answers.due_at if answers else None,
        snapshots=answers.snapshots if answers else (),
        mode=mode or export.mode,
        dry_run=dry_run,
        confirm_removals=confirm_removals,
        audit=audit,
        created_at=now,
        parallel_slices=app.settings.parallel_slices,
    )
    if key is None:
        app.runs.create(run)
        try:
            return _begin(app, run)
        except ExportError:
            with suppress(ExportError):  # else the next tick takes it away; nobody else has it
                app.runs.remove_unclaimed(run)
            raise
    since = export.saved.created_at if export.saved else datetime.min.replace(tzinfo=UTC)
    return _begin_once(app, run, key, mode_asked=mode is not None, since=since, answers=answers)


def _export(app: App, export_id: str, answers: Due | None) -> Export:
    """Raises NoLongerDue where what a run would answer is not wanted any more."""
    try:
        export = app.catalog.export(export_id)
    except NotFound:
        if answers:
            raise NoLongerDue("it was deleted since it was found due") from None
        raise
    if answers and not (export.enabled and export.connection and export.schedule == answers.schedule):
        raise NoLongerDue("it was changed since it was found due")
    return export


def _begin_once(
    app: App, mine: Run, key: str, *, mode_asked: bool, since: datetime, answers: Due | None
) -> tuple[Run, bool]:
    keys, lost = Keys(app.state), list[str]()

    def is_lost(id_: str) -> bool:
        is_old = id_ < _time(mine.created_at - sweep.SILENT)
        if is_old and (never_began := _never_began(app, mine.export, id_)):
            lost.append(id_)
        return (is_old and never_began) or (answers is not None and _is_due_again(app, mine.export, id_, answers))

    for _ in range(MOST_ATTEMPTS):
        bound = keys.bind(mine, key, mode_asked=mode_asked, since=since, is_lost=is_lost)
        if bound.run == mine.id and (awake := _awake(app, mine.export, lost)):
            keys.rebind(mine.export, key, bound, awake)
            continue
        run = mine.model_copy(update={"id": bound.run})
        begun, claim = _found(app, run.export, run.id), app.claims.held(run.export)
        if begun and begun.ended:
            return begun, False
        if begun is None:
            _export(app, run.export, answers)  # it may be a while since it was found due
        try:
            if begun and claim and claim.run == begun.id:
                _go_on(app, begun)
                return begun, False
            if begun is None:
                app.runs.create(run)
                if keys.stands_for(run.export, key) != run.id:
                    app.runs.remove_unclaimed(run)  # whoever slept before they wrote it finds the key with another run
                    continue
            # A record that does not hold the export was left by somebody who died, or is about to.
            held, is_new = _begin(app, begun or run)
        except (Changed, NotFound):
            continue  # somebody with the same key was faster, or its record was taken for an orphan
        except Conflict:
            keys.free(run.export, key, bound)
            raise
        if held.id != run.id and answers:
            keys.free(run.export, key, bound)  # it is not what the other run answers
        elif held.id != run.id:
            keys.rebind(run.export, key, bound, held.id)
        return held, is_new
    raise Changed(f"the run of {run.export}")


def _is_due_again(app: App, export: str, id_: str, due: Due) -> bool:
    """Whether the run that answered this has ended, and others have undone it since: a segment that was taken out of
    the export and is put back is as new as it was the first time."""
    answered = _found(app, export, id_)
    if not (due.snapshots and answered and answered.ended):
        return False
    used = last_snapshots(app.runs.newest(export)) or due.snapshots
    return new_snapshots(used, due.snapshots) is not None


def drop_orphans(app: App, export: Export, *, seen: datetime | None) -> None:
    """Takes away the records since an hour before ``seen``, when somebody last looked, whose run never came to hold its
    export: whoever asked for it died before, or lost its storage, and got no answer. Nothing came of it, and it must
    not begin when nobody expects it any more: what is due is due again, and who asked asks again. Where nobody
    knows when that was all are looked at, and so are those of an export that was made since: nobody has looked at what
    it may have left when it was deleted."""
    since = seen - _ORPHANS_FOR if seen else None
    is_known = since and export.saved and export.saved.created_at <= since
    first, last = _time(since) if since and is_known else "", _time(app.clock.now() - sweep.SILENT)
    for id_ in (one for one in app.runs.ids(export.id) if first <= one < last):
        _never_began(app, export.id, id_)


def _never_began(app: App, export: str, id_: str) -> bool:
    """Whether the run never came to hold its export, and never will: its record is gone, or is taken away here. It is
    asked of a run that whoever began it has had the time to claim the export for."""
    try:
        run = _found(app, export, id_)
    except Unreadable as error:
        _log.warning("export=%s: %s", export, error)  # whatever it is, it keeps no other from its turn
        return False
    if run is None:
        return True
    if run.begun:
        return False
    claim = app.claims.held(export)  # with one the sweep takes it up
    return (claim is None or claim.run != id_) and app.runs.remove_unclaimed(run)


def _awake(app: App, export: str, lost: list[str]) -> str | None:
    """Of the runs that were taken for lost the one that has begun since: whoever began it only slept. They look whether
    the key still stands for their run when its record is there, so one of both sees the other."""
    return next((id_ for id_ in lost if not _never_began(app, export, id_)), None)


def _time(moment: datetime) -> str:
    """What ids of runs are compared with."""
    return run_id(moment, "")


def _begin(app: App, run: Run) -> tuple[Run, bool]:
    """Of a run that has its record: a claim always names one that can be looked up. Its first message is queued before
    it holds the export: where that fails nothing has begun, and nothing begins later. Raises Conflict where the run at
    work is not what is asked for, or is being stopped."""

    def is_live(other: str) -> bool:
        held = _found(app, run.export, other)
        return bool(held and not held.ended)

    for _ in range(MOST_ATTEMPTS):
        claim = app.claims.held(run.export)
        if claim and claim.run != run.id and is_live(claim.run):
            return _met(app, run, claim), False
        app.enqueue(run, Next("plan"))
        taken = app.claims.take(run.export, run.id, now=run.created_at, is_live=is_live)
        if taken.holder == run.id:
            return _held(app, run, taken)
    raise Changed(f"the claim of {run.export}")


def _held(app: App, run: Run, taken: Taken) -> tuple[Run, bool]:
    """The run that holds its export now, and whether this call has begun it: that is who notes it in its record.
    Whoever slept before may have claimed the export for one that is over. Raises Changed where it is gone."""
    is_new = False

    def note(newest: Run) -> Run:
        nonlocal is_new
        is_new = not newest.claimed
        return newest.model_copy(update={"claimed": True})

    try:
        run = app.runs.change(run.export, run.id, note)
    except NotFound:
        app.claims.release(run.export, run.id)
        raise Changed(f"the run of {run.export}") from None
    if run.ended:
        app.claims.release(run.export, run.id)
    if is_new:
        telemetry.tell(
            "run_started", export=run.export, run=run.id, trigger=run.trigger, mode=run.mode, dry_run=run.dry_run
        )
    if taken.taken_from and (ended := _found(app, run.export, taken.taken_from)):
        # Whoever ended it has not let go of the export, and cannot any more.
        note_answered(app, ended)
        tell_ended(ended)
    return run, is_new


def _met(app: App, run: Run, claim: Claim) -> Run:
    """The run at work, in the place of ``run``."""
    app.runs.remove_unclaimed(run)
    sweep.take_up(app, run.export, claim)
    held = _found(app, run.export, claim.run)
    if held is None:
        raise Changed(f"the run of {run.export}")
    if run.trigger == "on-demand" and held.stopping:
        raise Conflict(
            "run_active",
            f"The run of the export {run.export} at work, {held.id}, is being stopped.",
            "Try again in a moment.",
        )
    if run.trigger == "on-demand" and held.kind != run.kind:
        raise Conflict(
            "run_active",
            f"The export {run.export} has a run of another kind at work, {held.id}: {held.kind}.",
            "Wait for its end, or cancel it, then try again.",
        )
    return held


def _go_on(app: App, run: Run) -> None:
    """Its first message may be lost; one too many does no harm."""
    if run.status == "queued":
        app.enqueue(run, Next("plan"))


def _found(app: App, export: str, id_: str) -> Run | None:
    try:
        return app.runs.get(export, id_)
    except NotFound:
        return None
