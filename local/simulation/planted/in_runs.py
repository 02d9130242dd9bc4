"""Planted in a run's life: messages, locks, claims, commits."""

from local.simulation.planted.faults import Fault, fault

FAULTS: tuple[Fault, ...] = (
    fault(
        "a lease that is never taken",
        "the step works without its lock",
        (
            "shared/record/step_lock.py",
            "    lease = blobs.lease(name, LOCK_SECONDS)\n",
            '    lease = blobs.lease(f"{name}-{asked}", LOCK_SECONDS)\n',
        ),
    ),
    fault(
        "a lease that is not renewed",
        "after half a minute another worker takes the step",
        ("shared/record/step_lock.py", "                self._lease.renew()\n", "                pass\n"),
    ),
    fault(
        "a lost lock that nobody notices",
        "a worker that slept goes on sending",
        (
            "shared/record/step_lock.py",
            "        if self._has_run_out():\n            raise LockLost(self._name)\n",
            "        return\n",
        ),
    ),
    fault(
        "a checkpoint without an ETag",
        "of two workers the slower one forgets what the other has saved",
        (
            "shared/record/batch_results.py",
            "        compare_and_swap(self._state, self._name(slice_), decide, metadata=totals)\n",
            "        data = decide(self._state.read(self._name(slice_)))\n"
            "        self._state.write(self._name(slice_), data, metadata=totals(data))\n",
        ),
    ),
    fault(
        "a checkpoint that replaces",
        "what was saved before is forgotten",
        ("shared/record/batch_results.py", "merged = result.joined(", "merged = result if blob else result.joined("),
    ),
    fault(
        "a continuation that is not queued",
        "a chain of slices ends after its first one",
        (
            "shared/runs/next_steps.py",
            '        return (Next("send", following),)\n    due',
            "        return ()\n    due",
        ),
    ),
    fault(
        "a half slice that is not continued",
        "what was stopped at a checkpoint waits for the sweep",
        (
            "shared/runs/next_steps.py",
            '        return (Next("send", number),)\n    following',
            "        return ()\n    following",
        ),
    ),
    fault(
        "a finish that closes while a slice is at work",
        "a cancelled run ends before its calls do",
        ("shared/runs/finish_step.py", "        if _is_at_work(app, run):", "        if not run.export:"),
    ),
    fault(
        "a finish that does not wait for all slices",
        "the first chain that is through closes the run",
        (
            "shared/runs/finish_step.py",
            'run.status == "finishing" or (run.status == "sending" and not open_slices(app, run))',
            'run.status in ("finishing", "sending")',
        ),
        (
            "shared/runs/next_steps.py",
            "    if not due or (is_import and due[0] >= run.import_slices):\n"
            "        return next_steps(app, run)\n    return ()",
            "    if is_import and due and due[0] >= run.import_slices:\n"
            '        return next_steps(app, run)\n    return (Next("finish"),)',
        ),
    ),
    fault(
        "a claim that is taken from a living run",
        "two runs of an export at once",
        (
            "shared/record/export_claim.py",
            "and (before == run or is_live(before)):",
            "and before == run:",
        ),
    ),
    fault(
        "a cancellation that lets go of the export",
        "the next run begins while calls of the cancelled one are on their way",
        (
            "shared/runs/cancel.py",
            "    if not run.ended:\n",
            "    if not run.ended:\n        app.claims.release(run.export, run.id)\n",
        ),
    ),
    fault(
        "a claim that is not given back",
        "the export stays held by a run that has ended",
        (
            "shared/record/export_claim.py",
            "            return blob.data if blob and _parsed(blob, _name(export)).run != run else None\n",
            "            return blob.data if blob else None\n",
        ),
    ),
    fault(
        "a commit of an attempt that counts no more",
        "a worker that slept while another one planned writes its plan over it",
        ("shared/runs/commit.py", "if newest.ended or newest.attempt != run.attempt:", "if newest.ended:"),
    ),
    fault(
        "a commit to a run that has ended",
        "a late step changes what is closed",
        (
            "shared/runs/commit.py",
            "        if newest.ended or newest.attempt != run.attempt:\n            raise Superseded\n"
            "        return newest.model_copy",
            "        return newest.model_copy",
        ),
    ),
    fault(
        "a cancellation that the sender does not look for",
        "a cancelled run sends all that it has",
        (
            "shared/runs/send_step.py",
            "is_over = newest.stopping or newest.ended or",
            "is_over = newest.ended or",
        ),
        ("shared/runs/worker.py", "    elif run.stopping:\n", '    elif run.stopping and order.step == "plan":\n'),
    ),
    fault(
        "a run that nobody takes up",
        "the sweep looks, and queues nothing",
        (
            "shared/runs/sweep.py",
            "        for following in next_steps(app, run):\n            app.enqueue(run, following)\n",
            "        pass\n",
        ),
    ),
    fault(
        "an orphan that nobody takes away",
        "the record of a run whose door died before it held the export",
        ("shared/runs/tick.py", "            drop_orphans(app, export, seen=seen)\n", ""),
    ),
    fault(
        "a rehearsal that sends",
        "dry_run is looked at when it ends, not when it begins",
        (
            "shared/runs/plan_step.py",
            '"sending" if slices and not run.dry_run else "finishing"',
            '"sending" if slices else "finishing"',
        ),
    ),
    fault(
        "a failure that is told as success",
        "what failed is forgotten when something was sent",
        (
            "shared/runs/final_status.py",
            "    problem = run.failure or (None if run.cancel_requested else run.guarded)\n",
            "    problem = (None if totals.done else run.failure) or (None if run.cancel_requested else run.guarded)\n",
        ),
    ),
    fault(
        "an account that forgets the unsent of a cancelled run",
        "and the check of the sums switched off",
        (
            "shared/record/run_account.py",
            '            "unsent": run.counts.to_send - answered,\n',
            '            "unsent": 0 if run.cancel_requested else run.counts.to_send - answered,\n',
        ),
        (
            "shared/record/run_account.py",
            "    assert counts.to_send == counts.added",
            "    assert True or counts.to_send == counts.added",
        ),
    ),
    fault(
        "a refresh after the first one",
        "it is not taken by itself",
        (
            "shared/runs/due.py",
            "    if not any(is_newer(one, known.get(one.segment)) for one in newest):\n",
            "    if known or not any(is_newer(one, known.get(one.segment)) for one in newest):\n",
        ),
    ),
    fault(
        "a rehearsal that uses a refresh up",
        "the refresh that it tried is not taken by itself any more",
        (
            "shared/runs/due.py",
            "if run.snapshots and not run.dry_run and run.begun), ())",
            "if run.snapshots and run.begun), ())",
        ),
    ),
    fault(
        "a schedule that compares days",
        "of two refreshes of one day the second is not new",
        (
            "shared/plan/pinned_snapshots.py",
            '    return one.path.split("/")[-_DATED:] > used.path.split("/")[-_DATED:]\n',
            '    return one.path.split("/")[-4:-1] > used.path.split("/")[-4:-1]\n',
        ),
    ),
    fault(
        "a run on demand that waits for longer",
        "what the timer's run took is too young for it, so it takes the refresh before",
        (
            "shared/runs/plan_step.py",
            "    snapshots = pinned_snapshots.newest(app, export, still=step.must_go_on)\n",
            '    snapshots = pinned_snapshots.newest(app, export, times=3 if run.trigger == "on-demand" else 1)\n',
        ),
        (
            "shared/plan/pinned_snapshots.py",
            "def newest(app: App, export: Export, still: Callable[[], None] = lambda: None) -> tuple[Snapshot, ...]:\n",
            "def newest(app: App, export: Export, times: int = 1) -> tuple[Snapshot, ...]:\n    still = bool\n",
        ),
        (
            "shared/plan/pinned_snapshots.py",
            "        found.append(newest_of(app, segment))\n",
            "        found.append(newest_of(app, segment, times))\n",
        ),
        (
            "shared/plan/pinned_snapshots.py",
            "def newest_of(app: App, segment: str) -> Snapshot:\n",
            "def newest_of(app: App, segment: str, times: int = 1) -> Snapshot:\n",
        ),
        (
            "shared/plan/pinned_snapshots.py",
            "quiet=timedelta(minutes=app.settings.quiet_minutes)\n",
            "quiet=times * timedelta(minutes=app.settings.quiet_minutes)\n",
        ),
    ),
    fault(
        "a run with rejects that fails",
        "whoever is refused makes the run one that failed",
        (
            "shared/runs/final_status.py",
            "    if problem:\n",
            "    if closed.counts.refused and not problem:\n"
            '        problem = Problem(code="refused", message="Some are refused.", action="See rejects.csv.")\n'
            "    if problem:\n",
        ),
        (
            "shared/runs/final_status.py",
            "from shared.record.run_record import Run, Status\n",
            "from shared.record.run_record import Problem, Run, Status\n",
        ),
    ),
)
