"""Whether those who have left may be removed, or somebody has to look first."""

from collections.abc import Iterable

from shared.leavers.who_left import Departure
from shared.record.run_record import Problem


def objection(departure: Departure, *, most_percent: int, empty: Iterable[str]) -> Problem | None:
    """Why nobody may be removed before somebody confirms it: the snapshots are probably not whole. ``empty`` are
    segments without a profile that can be used."""
    if not departure.left:
        return None
    left = f"{departure.left:,} of the {departure.held:,} subscribers that the export holds have left its segments"
    for segment in empty:
        return _guarded(f"The segment {segment} is empty, and {left}.", "Check the segment in Customer Insights.")
    if departure.left * 100 > departure.held * most_percent:
        return _guarded(
            f"{left}, more than {most_percent}% (max_removal_percent).", "Check that the newest snapshots are whole."
        )
    return None


def doubt(malformed: int) -> Problem | None:
    """Why nobody is removed this time: each of the ``malformed`` rows may be that of one who seems to have left."""
    if not malformed:
        return None
    return Problem(
        code="leavers_uncertain",
        message=f"{malformed:,} rows cannot be read, so nobody can tell who has left: nobody was removed.",
        action=f"See rejects.csv, and have Customer Insights export the segment anew. {_CONFIRM}",
    )


_CONFIRM = 'To remove all who seem to have left, start a run with {"confirm_removals": true}.'


def _guarded(message: str, action: str) -> Problem:
    return Problem(
        code="too_many_leavers",
        message=f"{message} Nobody was removed; everything else was sent.",
        action=f"{action} {_CONFIRM}",
    )
