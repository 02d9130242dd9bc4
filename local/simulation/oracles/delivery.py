"""What is sent: truth 3, what is counted as sent has arrived, and truth 4, nobody is refused and acknowledged."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from local.simulation.history import Ended, by_export, by_run, by_slice
from local.simulation.odd_answers import MISCOUNTED, UNLISTED
from local.simulation.oracles.calm import is_calm
from local.simulation.oracles.findings import Said
from local.simulation.oracles.parquet import HELD, acknowledged
from local.simulation.oracles.reading import Reading, difference, expected, readings, seconds, tables_of
from local.simulation.service import Change
from local.simulation.world import World

GOOD = ("succeeded", "completed_with_rejects")
_NOT_THERE, _DELETED = 203, 205
LOCK = 30.0  # seconds
CALM_SLACK, STOP_SLACK, TROUBLED_SLACK = 15.0, 5.0, 800.0  # seconds


def sends(run: dict[str, object]) -> bool:
    return not run["dry_run"] and not run.get("audit")


def has_arrived(world: World) -> Iterator[Said]:
    """Truth 3: after a good run everybody whose row counts has on the list what their row says, by the last call of
    this export about them; or was refused, and is told, or was refused before and is the same."""
    for ended in world.history.ended.values():
        run, found = ended.run, readings(world.history, ended.run)
        if run["status"] not in GOOD or not sends(run) or not found:
            continue
        refused = {line["email"].lower() for line in world.records.rejects(run) if line["reason"].startswith("refused")}
        if run["counts"]["unsent"]:
            yield Said("unsent", f"{run['id']} {run['status']}, and {run['counts']['unsent']} are unsent")
        if left := _not_come_to(run):
            yield Said("not removed", f"{run['id']} {run['status']}, and has not come to {left} leavers")
        wrong = [_not_arrived(world, ended, reading, refused) for reading in found]
        if all(wrong):
            yield wrong[0][0]


def _not_come_to(run: dict[str, Any]) -> int:
    """Leavers whom the run should have removed; where it is uncertain who left, it says so, and removes nobody."""
    if any(one["code"] == "leavers_uncertain" for one in run["warnings"]):
        return 0
    counts = run["counts"]
    return int(counts["to_remove"] - counts["removed"] - counts["not_removed"])


def _not_arrived(world: World, ended: Ended, reading: Reading, refused: set[str]) -> list[Said]:
    run = ended.run
    said = []
    for email, read in reading.first.items():
        changes = world.history.changes(run["list_id"], email, until=ended.time)
        own = [one for one in changes if by_export(one) == run["export"] and not _clung(one)]
        last = own[-1] if own else None
        # Sent twice, since somebody slept before it saved the answer, either answer is true.
        taken = any(by_run(one) == run["id"] and one.code is None for one in own)
        if email in refused or (last and by_run(last) != run["id"] and _nobody_heard(world, last)):
            continue
        name = f"{run['id']}: {email.partition('@')[0]}"
        if last is None or last.kind != "import":
            said.append(Said("never sent", f"{name} counts as sent or unchanged, and was not sent"))
        elif last.code is not None and not taken:
            if by_run(last) == run["id"]:
                said.append(
                    Said(f"refused{_oddly(world, last)}", f"{name} was refused with {last.code}, and is not told")
                )
        elif last.after is None or (wrong := difference(expected(read, reading), last.after, tables_of(run))):
            said.append(Said("another value", f"{name} counts as sent, and {wrong if last.after else 'is not there'}"))
    return said


def _clung(change: Change) -> bool:
    """Whether somebody was to be taken off, and the service did not."""
    return change.kind != "import" and change.code not in (None, _NOT_THERE)


def _oddly(world: World, refused: Change) -> str:
    """Where an answer to the run about this very batch did not tell who was refused."""
    return " in an odd answer" if refused.email in world.service.unnamed.get(by_run(refused), ()) else ""


def acknowledged_is_true(world: World) -> Iterator[Said]:
    """Truth 4: whoever is acknowledged as on the list was taken by the service, and nobody whom it refused is."""
    for ended in world.history.ended.values():
        run = ended.run
        data = world.history.acknowledged_at(run["export"], run.get("list_id") or "", ended.time)
        if data is None or not sends(run):
            continue
        for email, state in acknowledged(data).items():
            changes = world.history.changes(run["list_id"], email, until=ended.time)
            own = [one for one in changes if by_export(one) == run["export"] and one.kind == "import"]
            if state not in HELD or not own:
                if state in HELD:
                    yield Said(
                        "never sent", f"{run['id']}: {email.partition('@')[0]} is acknowledged, and was never sent"
                    )
                continue
            newest = [one for one in own if by_run(one) == by_run(own[-1])]
            excused = _nobody_heard(world, newest[-1]) or _stays_as_it_was(world, own)
            if all(one.code is not None for one in newest) and not excused:
                words = f"was refused with {newest[-1].code}, and is acknowledged"
                yield Said(f"refused{_oddly(world, newest[-1])}", f"{run['id']}: {email.partition('@')[0]} {words}")


def _nobody_heard(world: World, change: Change) -> bool:
    """Whether the answer came when the run had ended, or to somebody who slept over its end, or nearly: what is saved
    while the run is being closed counts no more."""
    ended = world.history.ended.get(by_run(change))
    if ended is None:
        return False
    slept_over_it = any(time <= ended.time <= time + long + CALM_SLACK for time, long in world.platform.stalls)
    return change.time > ended.time or slept_over_it


def _stays_as_it_was(world: World, own: list[Change]) -> bool:
    """Where the service refused somebody for a reason that nobody knows, they stay what they were, and are offered
    again."""
    unlisted = UNLISTED in world.service.odd.get(by_run(own[-1]), ())
    return unlisted and any(one.code is None for one in own if by_run(one) != by_run(own[-1]))


def sent_once(world: World) -> Iterator[Said]:
    """A subscriber is sent twice by a run only where a process died or stalled, or an answer was lost: never because a
    message came twice, came late, or was seen by two."""
    for ended in world.history.ended.values():
        if not untroubled(world, ended):
            continue
        taken: dict[str, Change] = {}
        for change in world.service.changes:
            if by_run(change) != ended.run["id"] or change.kind != "import" or change.code is not None:
                continue
            if change.email in taken:
                yield Said("twice", f"{ended.run['id']} sent {change.email.partition('@')[0]} twice")
                return
            taken[change.email] = change


def counts_are_true(world: World) -> Iterator[Said]:
    """Added, updated, refused and removed are as the service took them, where no answer was lost; where one was, it has
    done no less than is told."""
    for ended in world.history.ended.values():
        run = ended.run
        miscounted = any(how in MISCOUNTED for how in world.service.odd.get(run["id"], ()))
        if not sends(run) or miscounted:
            continue
        off = _taken_off(world, run)
        if run["counts"]["removed"] > len(off):
            yield Said("too many removed", f"{run['id']} removed {run['counts']['removed']}, the service {len(off)}")
        sent = run["counts"]["added"] + run["counts"]["updated"]
        own = [one for one in world.service.changes if by_run(one) == run["id"] and one.kind == "import"]
        if sent > len(there := {one.email for one in own if one.code is None}):
            yield Said("too many sent", f"{run['id']} sent {sent}, and the service took {len(there)}")
        if not untroubled(world, ended):
            continue
        last = {one.email: one for one in own}
        taken = [one for one in last.values() if one.code is None]
        told = {name: run["counts"][name] for name in ("added", "updated", "refused")}
        true = {
            "added": sum(one.before is None for one in taken),
            "updated": sum(one.before is not None for one in taken),
            "refused": len(last) - len(taken),
        }
        if run["status"] not in GOOD:
            # Whoever was to be put back in a second call, which was not made any more, has no answer, and is unsent; so
            # are those of a call that was turned down as a whole: which of them was meant only halves of it would tell.
            put_back = sum(one.code == _DELETED and not one.resubscribe for one in last.values())
            nameless = sum(one.email in _turned_down_together(own) for one in last.values() if one.code)
            least = true["refused"] - put_back - nameless
            true["refused"] = max(least, min(true["refused"], told["refused"]))
        if told != true:
            yield Said("counts", f"{run['id']} says {told}, and the service {true}")
        if run["counts"]["removed"] < len(off):
            yield Said("too few removed", f"{run['id']} removed {run['counts']['removed']}, the service {len(off)}")


def _turned_down_together(own: list[Change]) -> set[str]:
    """Everybody in a call of several of whom none was taken."""
    calls: dict[float, list[Change]] = {}
    for one in own:
        calls.setdefault(one.time, []).append(one)
    return {one.email for call in calls.values() if len(call) > 1 and all(each.code for each in call) for one in call}


def _taken_off(world: World, run: dict[str, Any]) -> set[str]:
    """Whom the run took off the list, and who had gone when it wanted to: before it deletes somebody it looks."""
    in_files = {email for reading in readings(world.history, run) for email in reading.mentioned}
    own = [one for one in world.service.changes if by_run(one) == run["id"]]
    off = {one.email for one in own if one.kind in ("delete", "unsubscribe") and one.code in (None, _NOT_THERE)}
    # It looks also whether newcomers are there; they stand in its files.
    looks = [one for one in own if one.kind == "state" and one.email not in in_files]
    return off | {one.email for one in looks if not one.before or one.before["state"] not in ("Active", "Unconfirmed")}


def no_answer_is_forgotten(world: World) -> Iterator[Said]:
    """A batch that is saved in a checkpoint stays as it is, whoever else is at work on the slice; a run that is
    cancelled or failed stays so, whoever is at work on a step of it; and whoever has heard that somebody was taken does
    not send them again."""
    for words in world.history.forgotten[:1]:
        yield Said("forgotten", words)
    for words in world.service.sent_again[:1]:
        yield Said("heard", words)


def untroubled(world: World, ended: Ended) -> bool:
    """Whether nothing went wrong in its time but messages."""
    return is_calm(world, seconds(ended.run["created_at"]) - 60, ended.time)


def nothing_after_the_end(world: World) -> Iterator[Said]:
    """When a run has ended nothing is sent for it any more, whoever was cancelled, stalled, or late; and its record
    stays as it is."""
    for words in world.history.reopened[:1]:
        yield Said("reopened", words)
    for change in world.service.changes:
        ended = world.history.ended.get(by_run(change))
        if not ended or change.kind == "state" or change.late or _is_beyond_recall(world, change, ended):
            continue
        if change.time > ended.time:
            late = "left" if change.left > ended.time else "arrived"
            words = f"{change.kind} {late} {change.time - ended.time:.0f} s after the end"
            yield Said("after the end", f"{ended.run['id']} {ended.run['status']}: {words}")
            return


def _is_beyond_recall(world: World, change: Change, ended: Ended) -> bool:
    """Whether the call had left before the run ended, of somebody who had lost their lock by then: they slept, or could
    not renew it, or somebody broke it."""
    if is_calm(world, change.left - LOCK, ended.time):
        return False
    _, step, slice_ = by_slice(change)
    lock = step if slice_ is None else f"slice-{slice_:05}"
    return change.left <= ended.time and not ended.locked.get(lock, change.time) <= change.left


def a_cancelled_run_stops(world: World) -> Iterator[Said]:
    """Soon after somebody cancelled a run nothing is sent for it any more."""
    for change in world.service.changes:
        asked = world.history.cancelled.get(by_run(change))
        if asked is None or change.kind == "state":
            continue
        # The steps look every two seconds; where something goes wrong, for the storage may be away, a lease later.
        slack = STOP_SLACK if is_calm(world, asked, change.left) else TROUBLED_SLACK
        slack += sum(long for time, long in world.platform.stalls if time + long > asked)
        if change.left > asked + slack:
            yield Said("goes on", f"{by_run(change)} sent {change.left - asked:.0f} s after it was cancelled")
            return


def a_trial_sends_nothing(world: World) -> Iterator[Said]:
    """A rehearsal and an audit change nothing on any list."""
    trials = {run["id"] for run in world.records.runs() if not sends(run)}
    for change in world.service.changes:
        if change.kind != "state" and by_run(change) in trials:
            yield Said("sent", f"{by_run(change)}, a trial, did {change.kind}")
            return


def one_run_at_a_time(world: World) -> Iterator[Said]:
    """Of an export no two runs change the list at once."""
    spans: dict[str, dict[str, tuple[float, float]]] = {}
    for change in world.service.changes:
        if change.kind != "state" and not change.late and (run := by_run(change)):
            of_export = spans.setdefault(by_export(change), {})
            begin, _ = of_export.get(run, (change.time, 0))
            of_export[run] = (begin, change.time)
    for export, runs in spans.items():
        ordered = sorted((begin, end, run) for run, (begin, end) in runs.items())
        for (_, end, one), (begin, _, other) in pairwise(ordered):
            if begin < end:
                yield Said("two", f"{one} and {other} of {export} sent at once")
                return
