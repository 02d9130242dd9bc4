"""For each oracle a planted fault that it alone should find: without the oracle the fault would pass.

What some oracles find in the engine as it is stands in ``expected.py``: nothing has to be planted for those.
"""

NEEDED = {
    "account_balances": "an account that forgets the unsent of a cancelled run",
    "rows_counted": "invalid for duplicate",
    "rows_told": "duplicates that are not told",
    "refresh_is_whole": "a snapshot without its last partition",
    "no_older_refresh": "a run on demand that waits for longer",
    "has_arrived": "who is known is unchanged",
    "acknowledged_is_true": "a refused person acknowledged",
    "sent_once": "a batch with a refusal offered again",
    "no_answer_is_forgotten": "a checkpoint that replaces",
    "counts_are_true": "updated for added",
    "nothing_after_the_end": "a finish that closes while a slice is at work",
    "a_cancelled_run_stops": "a cancellation that the sender does not look for",
    "a_trial_sends_nothing": "a rehearsal that sends",
    "one_run_at_a_time": "a claim that is taken from a living run",
    "only_leavers_are_removed": "who was turned down has left",
    "only_the_own_are_removed": "a list that is not read before",
    "removals_are_wanted": "an export that was changed goes on removing",
    "guards_hold": "a row that cannot be read that nobody minds",
    "leavers_leave": "a leaver between two slices",
    "opted_out_stays_out": "everybody is resubscribed",
    "opt_outs_are_not_forgotten": "a deletion without a look",
    "no_address_leaks": "an address in the log",
    "every_run_ends": "an orphan that nobody takes away",
    "nothing_is_left": "a claim that is not given back",
    "no_defects": "a wait that nobody asked for",
    "calm_runs_succeed": "a run with rejects that fails",
    "calm_runs_are_quick": "a half slice that is not continued",
    "refreshes_are_exported": "an older snapshot taken",
    "converges": "a returner who stays out",
    "nothing_new_is_sent": "everything is sent each time",
}
