"""Planted where it is decided when an export runs and what it sends, and in what is told of that."""

from local.simulation.planted.faults import Fault, fault

FAULTS: tuple[Fault, ...] = (
    fault(
        "a time that any run answers",
        "also one that somebody started by hand shortly before, with a refresh that was older",
        (
            "shared/runs/due.py",
            "        if run.created_at < due_at:\n",
            "        if due_at - run.created_at < timedelta(hours=2):\n            return True\n"
            "        if run.created_at < due_at:\n",
        ),
    ),
    fault(
        "a time that the schedule misses",
        "the clock is asked only whether it is due in the minute of the tick",
        (
            "shared/runs/due.py",
            "    return latest if latest > since else None\n",
            "    return latest if latest > since and now - latest <= timedelta(minutes=1) else None\n",
        ),
    ),
    fault(
        "a time before the schedule",
        "an export that gets a schedule answers the time that is over",
        ("shared/runs/due.py", "return latest if latest > since else None", "return latest"),
    ),
    fault(
        "a time that is answered as long as the record of its run is there",
        "a lifecycle rule deletes that, and the time is due again",
        ("shared/runs/tick.py", "(answered and answered >= latest)", "(answered and answered > app.clock.now())"),
    ),
    fault(
        "a refresh that is answered as long as the record of its run is there",
        "only the first one is noted for longer",
        ("shared/runs/tick.py", "        if used and used != noted:\n", "        if not noted:\n"),
        (
            "shared/runs/commit.py",
            "        note_snapshots(app.state, run.export, run.snapshots)\n    for reason",
            "        pass\n    for reason",
        ),
        ("shared/runs/commit.py", "        note_answered(app, run)\n        if app.claims", "        if app.claims"),
    ),
    fault(
        "a time while it was paused",
        "an export that is enabled again makes up for what it slept through",
        (
            "shared/catalog/store.py",
            "(new.schedule, new.enabled) == (old.schedule, old.enabled)",
            "new.schedule == old.schedule",
        ),
    ),
    fault(
        "a pause that the timer does not mind",
        "neither where the timer looks what is due, nor where it starts that, enabled is looked at",
        (
            "shared/runs/tick.py",
            "    if not export.enabled or export.schedule is None or export.connection is None:\n",
            "    if export.schedule is None or export.connection is None:\n",
        ),
        (
            "shared/runs/start.py",
            "    if answers and not (export.enabled and export.connection and",
            "    if answers and not (export.connection and",
        ),
    ),
    fault(
        "everything that is compared",
        "the mode is not looked at",
        (
            "shared/runs/plan_step.py",
            '            everything=self._run.mode == "everything",\n',
            "            everything=False,\n",
        ),
    ),
    fault(
        "a mode that only a caller gives",
        "that of the export is not looked at",
        ("shared/runs/start.py", "        mode=mode or export.mode,\n", '        mode=mode or "changes",\n'),
    ),
    fault(
        "a consent that is not asked",
        "the service keeps what it knows of it",
        (
            "shared/plan/mapping.py",
            "quoted(json.dumps(mapping.consent_to_track))))\n",
            """quoted('"Unchanged"')))\n""",
        ),
    ),
    fault(
        "an export that puts nobody back",
        "resubscribe is saved, shown, and not used",
        (
            "shared/runs/send_step.py",
            "slice_, rows, resubscribe=export.resubscribe,",
            "slice_, rows, resubscribe=False,",
        ),
    ),
    fault(
        "an audit that does not read who bounced",
        "they count as absent",
        (
            "shared/runs/audit_step.py",
            "    for state in get_args(ListState):\n",
            '    for state in (one for one in get_args(ListState) if one != "bounced"):\n',
        ),
    ),
    fault(
        "an audit of whoever was ever answered",
        "also of those whom the service refused",
        (
            "shared/runs/audit_step.py",
            "read_parquet($file) WHERE list_contains($held, state)\n",
            "read_parquet($file) WHERE $held IS NOT NULL\n",
        ),
    ),
    fault(
        "a key in the log",
        "a warning shows how the service was asked",
        (
            "shared/campaign_monitor/client.py",
            '            _log.warning("Campaign Monitor: %s: %s", request.path, type(error).__name__)\n',
            '            _log.warning("Campaign Monitor: %s: %s", request.path, key.get_secret_value())\n',
        ),
    ),
    fault(
        "a rehearsal that reads the first partition alone",
        "it should be quick, and its counts are not what the run would give",
        (
            "shared/runs/plan_step.py",
            "    newest = tuple(pinned_snapshots.used(snapshot) for snapshot in snapshots)\n",
            "    if run.dry_run:\n"
            "        snapshots = tuple(replace(one, partitions=one.partitions[:1]) for one in snapshots)\n"
            "    newest = tuple(pinned_snapshots.used(snapshot) for snapshot in snapshots)\n",
        ),
        (
            "shared/runs/plan_step.py",
            "from contextlib import closing\n",
            "from contextlib import closing\nfrom dataclasses import replace\n",
        ),
    ),
)
