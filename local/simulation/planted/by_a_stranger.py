"""Ten mistakes, planted by somebody who has read the engine and DESIGN.md, but nothing of what judges them."""

from local.simulation.planted.faults import Fault, fault

FAULTS: tuple[Fault, ...] = (
    fault(
        "met-is-met",
        "Every address that a partition mentions counts as met, also where its row was turned down: the good row of "
        "the same person in a later partition or segment is a duplicate of nobody, and the person is not sent.",
        (
            "shared/plan/duplicates.py",
            "INSERT INTO seen SELECT address FROM first;",
            "INSERT INTO seen SELECT DISTINCT address FROM profiles;",
        ),
    ),
    fault(
        "whole-or-quiet",
        "The condition for a complete snapshot was turned round and 'or' became 'and': a folder is taken as soon as "
        "model.json misses nothing of it, however young, and one that lacks partitions once it has been quiet.",
        (
            "shared/segments/snapshots.py",
            "        if not lacking and age >= quiet:\n            return snapshot\n",
            "        if not (lacking and age < quiet):\n            return snapshot\n",
        ),
    ),
    fault(
        "returners-in-one-call",
        "A batch that holds somebody whom the export deleted goes out once, with Resubscribe, to save the second call: "
        "whoever has unsubscribed or bounced and is in the same batch is put back as well.",
        (
            "shared/send/import_call.py",
            "    try:\n        for answer in _answers(",
            "    resubscribe = resubscribe or not slice_.returning.isdisjoint(rows)\n"
            "    try:\n        for answer in _answers(",
        ),
    ),
    fault(
        "confirmed-becomes-added",
        "Only whom the export added keeps the state from before; whoever was on the list already (confirmed) and "
        "changes is no newcomer, so nobody asked after them, and becomes added: removed once they leave the segments.",
        (
            "shared/send/merge_acknowledged.py",
            "    WHEN list_contains($held, before) THEN before\n",
            "    WHEN before = $added THEN before\n",
        ),
        (
            "shared/send/merge_acknowledged.py",
            '                "held": list(HELD),\n                "added": State.ADDED,\n',
            '                "added": State.ADDED,\n',
        ),
    ),
    fault(
        "elsewhere-if-added-there",
        "Another export to the same list holds only those whom it added itself. It was mostly this one that added "
        "them, and there they are confirmed: whoever leaves this export is taken off, and is still in the other.",
        (
            "shared/leavers/who_left.py",
            '            self._sql(_ELSEWHERE, {"file": str(other), "held": held})\n',
            '            self._sql(_ELSEWHERE, {"file": str(other), "held": [State.ADDED]})\n',
        ),
    ),
    fault(
        "answered-by-whoever-is-at-work",
        "The key of a refresh, or of a time of the schedule, is bound to the run that is at work, unless that is a "
        "trial, as it takes the newest anyway. Where it had planned before, every later tick gets the ended run.",
        (
            "shared/runs/start.py",
            "        if held.id != run.id and answers:\n",
            "        if held.id != run.id and answers and held.is_trial:\n",
        ),
    ),
    fault(
        "commit-of-my-copy",
        "The step's own copy of the run is written, not the newest record: a cancellation (or a failure of another "
        "slice) that came while the step was at work is undone, and the run goes on to its end.",
        (
            "shared/runs/commit.py",
            "        return newest.model_copy(update=outcome.changes)\n",
            "        return run.model_copy(update=outcome.changes)\n",
        ),
    ),
    fault(
        "list-of-now",
        "The batches go to the list that the export has now, not to the one that the run planned for: changed "
        "while it sends, the rest lands on the other list, and is acknowledged for the first.",
        (
            "shared/runs/send_step.py",
            "        return send_batch(account, run.list_id, slice_,",
            "        return send_batch(account, export.list_id, slice_,",
        ),
    ),
    fault(
        "turn-is-kept",
        "A call that raises (no answer, a connection that breaks) does not give back its place among those in flight: "
        "after as many of them as may be, no call of the invocation ever begins, while its heart goes on beating.",
        (
            "shared/campaign_monitor/pace.py",
            "        try:\n"
            "            yield begun\n"
            "        finally:\n"
            "            with self._changed:\n"
            "                self._in_flight -= 1\n"
            "                self._changed.notify_all()\n",
            "        yield begun\n"
            "        with self._changed:\n"
            "            self._in_flight -= 1\n"
            "            self._changed.notify_all()\n",
        ),
    ),
    fault(
        "stopped-without-listening",
        "The loop ends as soon as the slice is to stop. The calls in flight still end, but nobody takes their answers: "
        "cancelled, those people have arrived and count as unsent; handed over, they are sent again.",
        (
            "shared/send/batch_turns.py",
            "            while self._calls or (self._waiting and self._goes_on):\n",
            "            while self._goes_on and (self._calls or self._waiting):\n",
        ),
    ),
)
