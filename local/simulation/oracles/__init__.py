"""The oracles: what must be true of a world that has come to rest. They know what the world did and what was written
down, and share no code with the engine."""

from collections.abc import Collection, Iterator

from local.simulation.oracles import account, delivery, leavers, life, people, what_is_asked
from local.simulation.oracles.findings import Finding, Oracle
from local.simulation.world import World

ORACLES: tuple[Oracle, ...] = (
    account.account_balances,
    account.rows_counted,
    account.rows_told,
    account.values_cost_no_row,
    account.refresh_is_whole,
    account.no_older_refresh,
    delivery.has_arrived,
    delivery.acknowledged_is_true,
    delivery.sent_once,
    delivery.no_answer_is_forgotten,
    delivery.counts_are_true,
    delivery.nothing_after_the_end,
    delivery.a_cancelled_run_stops,
    delivery.a_trial_sends_nothing,
    delivery.one_run_at_a_time,
    leavers.only_leavers_are_removed,
    leavers.only_the_own_are_removed,
    leavers.removals_are_wanted,
    leavers.guards_hold,
    leavers.confirmations_hold_for_what_was_seen,
    leavers.leavers_leave,
    people.opted_out_stays_out,
    people.opt_outs_are_not_forgotten,
    people.no_address_leaks,
    people.no_key_leaks,
    what_is_asked.times_are_kept,
    what_is_asked.paused_exports_rest,
    what_is_asked.nobody_is_surprised,
    what_is_asked.everything_is_everything,
    what_is_asked.consent_is_sent,
    what_is_asked.who_is_asked_back_comes_back,
    what_is_asked.audits_are_true,
    life.every_run_ends,
    life.nothing_is_left,
    life.no_defects,
    life.calm_runs_succeed,
    life.calm_runs_are_quick,
    life.refreshes_are_exported,
    life.nothing_is_exported_twice,
    life.converges,
    life.nothing_new_is_sent,
)


NAMES = tuple(getattr(oracle, "__name__", "") for oracle in ORACLES)


def judge(world: World, *, without: Collection[str] = ()) -> Iterator[Finding]:
    """What each oracle says of the world, one of each kind; those ``without`` are not asked."""
    for name, oracle in zip(NAMES, ORACLES, strict=True):
        if name in without:
            continue
        kinds = set()
        for said in oracle(world):
            if said.kind not in kinds:
                kinds.add(said.kind)
                yield Finding(name, said.kind, said.sentence)
