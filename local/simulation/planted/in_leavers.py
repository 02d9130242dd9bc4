"""Planted where people are taken off lists, and put back."""

from local.simulation.planted.faults import Fault, fault

FAULTS: tuple[Fault, ...] = (
    fault(
        "a mover removed",
        "who is in the first segment no more has left, whatever the others say",
        (
            "shared/leavers/who_left.py",
            "  ANTI JOIN seen USING (address)\n",
            "  ANTI JOIN (SELECT address FROM first) USING (address)\n",
        ),
    ),
    fault(
        "who was turned down has left",
        "an address in a row that is a duplicate or invalid does not count",
        (
            "shared/leavers/who_left.py",
            "  ANTI JOIN (SELECT md5_number(lower(email)) AS address FROM rejected WHERE email IS NOT NULL)"
            " USING (address)\n",
            "",
        ),
    ),
    fault(
        "the leavers of another export",
        "who is in another export to the same list is removed",
        ("shared/leavers/who_left.py", "WHERE NOT (added AND elsewhere)\nORDER", "WHERE true\nORDER"),
        (
            "shared/leavers/who_left.py",
            'count("SELECT count(*) FROM leavers WHERE NOT (added AND elsewhere)")',
            'count("SELECT count(*) FROM leavers")',
        ),
    ),
    fault(
        "whoever rejoined is its own",
        "one whom it deleted, and who is there again before it puts them back, counts as added",
        ("shared/leavers/already_listed.py", '"held": list(HELD)}', '"held": [*HELD, State.DELETED]}'),
        (
            "shared/leavers/already_listed.py",
            "from shared.record.acknowledged import HELD\n",
            "from shared.record.acknowledged import HELD, State\n",
        ),
    ),
    fault(
        "an export that has moved to another list keeps whom it sent",
        "who left the exports that go to the list stays there, for one that went there once had sent them",
        (
            "shared/leavers/removal_plan.py",
            "(document.enabled and document.list_id == export.list_id)",
            "document.enabled",
        ),
    ),
    fault(
        "everybody on the list is its own",
        "who was there before is taken for added",
        ("shared/leavers/who_left.py", "SELECT b.email, gone.state = $added,", "SELECT b.email, $added > 0,"),
    ),
    fault(
        "a list that is not read before",
        "nobody asks who is there already",
        (
            "shared/runs/plan_step.py",
            "            if not run.dry_run:\n                self._look_up_newcomers(account)\n",
            "",
        ),
    ),
    fault(
        "a guard that compares the wrong way",
        "the percentage of those who stay",
        (
            "shared/leavers/removal_guard.py",
            "departure.left * 100 > departure.held * most_percent:",
            "departure.left * most_percent > departure.held * 100:",
        ),
    ),
    fault(
        "an empty segment that nobody minds",
        "only the percentage counts",
        ("shared/leavers/removal_guard.py", "    for segment in empty:\n", "    for segment in ():\n"),
    ),
    fault(
        "a segment without an address that counts",
        "rows of which none can be used make a segment that is not empty",
        (
            "shared/plan/planner.py",
            "return self.rows_read - self.malformed - self.invalid",
            "return self.rows_read - self.malformed",
        ),
    ),
    fault(
        "a row that cannot be read that nobody minds",
        "it may be that of one who seems to have left",
        (
            "shared/leavers/removal_guard.py",
            "    if not malformed:\n        return None\n",
            "    if malformed >= 0:\n        return None\n",
        ),
    ),
    fault(
        "a guarded run that removes",
        "it fails for its leavers, after it has removed them",
        (
            "shared/leavers/removal_plan.py",
            "    elif guarded or warning:\n"
            "        return Removal(to_remove=departure.to_remove, guarded=guarded, warning=warning)\n"
            "    slices, rows = leavers.give_slices(first_slice, app.sizes.leavers, slice_ready)\n"
            "    return Removal(to_remove=departure.to_remove, slices=slices, rows=rows)\n",
            "    slices, rows = leavers.give_slices(first_slice, app.sizes.leavers, slice_ready)\n"
            "    return Removal(departure.to_remove, slices, rows, guarded, warning)\n",
        ),
    ),
    fault(
        "a leaver between two slices",
        "the first of each slice is forgotten",
        (
            "shared/leavers/who_left.py",
            "query = _SLICE.format(rows=rows, begin=begin)",
            "query = _SLICE.format(rows=rows, begin=begin + 1)",
        ),
    ),
    fault(
        "leavers that fill no slice",
        "the last slice, which is not full, is forgotten",
        (
            "shared/leavers/who_left.py",
            "        starts = range(0, leavers, rows)\n",
            "        starts = range(0, leavers - rows + 1, rows)\n",
        ),
    ),
    fault(
        "leavers forgotten",
        "the plan counts them, and writes nobody down",
        (
            "shared/leavers/removal_plan.py",
            "    return Removal(to_remove=departure.to_remove, slices=slices, rows=rows)\n",
            "    return Removal(to_remove=departure.to_remove)\n",
        ),
    ),
    fault(
        "added is confirmed",
        "who was not on the list before is noted like who was, and never removed",
        ("shared/send/merge_acknowledged.py", "new) THEN $added\n", "new) THEN $confirmed\n"),
        (
            "shared/send/merge_acknowledged.py",
            '                "added": State.ADDED,\n',
            "",
        ),
    ),
    fault(
        "whoever is let go counts as removed",
        "also one who was on the list before, and stays there",
        (
            "shared/leavers/removal_call.py",
            "        return BatchResult()\n",
            "        return BatchResult(removed=1)\n",
        ),
    ),
    fault(
        "an export that was changed goes on removing",
        "it goes by what was planned",
        (
            "shared/runs/send_step.py",
            'if how == "keep" or (export.removals, export.list_id) != (how, run.list_id):',
            'if how == "keep":',
        ),
    ),
    fault(
        "a deletion without a look",
        "who has unsubscribed is deleted, and the list forgets it",
        ("shared/leavers/removal_call.py", 'if state not in ("Active", "Unconfirmed"):', "if state is None:"),
    ),
    fault(
        "whoever was deleted may be put back",
        "also by somebody else",
        ("shared/send/import_call.py", "if code == DELETED and row in slice_.returning}", "if code == DELETED}"),
    ),
    fault(
        "whoever returns is put back",
        "also one who has unsubscribed in the meantime",
        (
            "shared/send/import_call.py",
            "if code == DELETED and row in slice_.returning}",
            "if row in slice_.returning}",
        ),
    ),
    fault(
        "everybody is resubscribed",
        "the export is not asked",
        (
            "shared/runs/send_step.py",
            "slice_, rows, resubscribe=export.resubscribe,",
            "slice_, rows, resubscribe=True,",
        ),
    ),
    fault(
        "a returner who stays out",
        "whom the export deleted is not put back",
        (
            "shared/send/import_call.py",
            "        if not resubscribe:\n            again |=",
            "        if False:\n            again |=",
        ),
    ),
    fault(
        "a removal that counts without an answer",
        "the service's no is not looked at",
        (
            "shared/leavers/removal_call.py",
            "    if code in (None, NOT_IN_LIST):\n",
            "    if code in (None, NOT_IN_LIST) or code:\n",
        ),
    ),
)
