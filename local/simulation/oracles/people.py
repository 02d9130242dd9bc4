"""Who opted out stays out, and no address and no key stands where it should not."""

from collections.abc import Iterator
from typing import Any

from local.simulation.history import by_export, by_run
from local.simulation.oracles.findings import Said
from local.simulation.people import DOMAIN
from local.simulation.service import Change
from local.simulation.world import World

_OUT = ("Unsubscribed", "Bounced")


def opted_out_stays_out(world: World) -> Iterator[Said]:
    """Nobody who unsubscribed, bounced or is suppressed becomes active by a call of ours, unless their export says
    resubscribe; of whom was deleted, only those whom this very export deleted while they were active."""
    for change in world.service.changes:
        was, now = _state(change.before), _state(change.after)
        if change.kind == "state" or now != "Active" or was in (None, "Active", "Unconfirmed"):
            continue
        if _resubscribes(world, change):
            continue
        who = f"{change.email.partition('@')[0]} by {by_run(change)}"
        if was in _OUT:
            yield Said("back", f"{who}: {was} is active again")
        elif (change.before or {}).get("suppressed"):
            untold = "" if world.plan.service["suppression_first"] else " untold"
            yield Said(f"suppressed{untold}", f"{who}: {was} and suppressed, and is active again")
        elif by_export(change) not in (deleted_by := _deleted_by(world, change))[-1:]:
            since = " any more" if by_export(change) in deleted_by else ""
            yield Said(f"not its own{since}", f"{who}: deleted by somebody else, and is active again")


def _state(record: Any) -> str | None:
    return record["state"] if record else None


def _resubscribes(world: World, change: Change) -> bool:
    configured = world.history.configured(by_export(change), change.left - 7 * 3600, change.left)
    return any(document["resubscribe"] for document in configured)


def _deleted_by(world: World, change: Change) -> list[str]:
    """The exports that deleted them while they were active, the last one last."""
    earlier = world.history.changes(change.list_id, change.email, until=change.time)
    return [
        by_export(one)
        for one in earlier
        if one.kind == "delete" and one.code is None and _state(one.before) == "Active"
    ]


def opt_outs_are_not_forgotten(world: World) -> Iterator[Said]:
    """Whoever unsubscribed or bounced is not deleted: the list would forget that they did."""
    for change in world.service.changes:
        if change.kind != "delete" or change.code is not None or _state(change.before) not in _OUT:
            continue
        looked = [
            one.time
            for one in world.history.by_person[change.list_id, change.email]
            if one.kind == "state" and by_run(one) == by_run(change) and one.time <= change.left
        ]
        since = max(looked, default=0.0)
        if not any(
            (one.list_id, one.email) == (change.list_id, change.email) and since <= one.time <= change.time
            for one in world.history.own_doings
        ):
            yield Said("deleted", f"{by_run(change)} deleted {change.email.partition('@')[0]}, who had opted out")


def no_address_leaks(world: World) -> Iterator[Said]:
    """No address stands in a record, a message, a log, an error or an id."""
    for kind, where, text in _told(world):
        if _holds_one(text) or _holds_one(where):
            yield Said(kind, f"{where} holds an address: {text[:120]}")
            return


def no_key_leaks(world: World) -> Iterator[Said]:
    """No key of an account stands there either."""
    keys = [account.key for account in world.plan.accounts]
    for kind, where, text in _told(world):
        if any(key in text or key in where for key in keys):
            yield Said(kind, f"{where} holds a key")
            return


def _told(world: World) -> Iterator[tuple[str, str, str]]:
    """All that others than those who may see addresses may read: what it is, its name, and its text."""
    for name, content in world.records.texts():
        yield "record", name, content.decode("utf-8", "replace")
    for line in world.history.log:
        yield "log", "the log", line
    for process, what, error in world.platform.defects:
        yield "error", f"an error of {process} at {what}", str(error)


def _holds_one(text: str) -> bool:
    lowered = text.lower()
    return DOMAIN in lowered or "someone" in lowered or "some.one" in lowered
