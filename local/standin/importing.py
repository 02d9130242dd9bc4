"""`POST /subscribers/{list}/import.json`: many subscribers in one call, some of which may fail."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.standin.accounts import require
from local.standin.answers import Answer, RefusalError
from local.standin.call import Call
from local.standin.consent import store_consent
from local.standin.fields import fields_of
from local.standin.lists import SubscriberList, find_list
from local.standin.options import Options
from local.standin.submission import Batch, Row, check_consent, read_batch, row_problem
from local.standin.subscribers import (
    ACTIVE,
    INACTIVE,
    SUPPRESSED,
    UNCONFIRMED,
    Subscriber,
    by_key,
    store,
    upserted,
)
from local.standin.suppression import suppressed, unsuppress
from local.standin.values import BadValueError, FieldRules

# No source knows the number for a row whose value is refused; 202 is the one row code that no source explains.
BAD_VALUE_CODE = 202


@dataclass
class Outcome:
    """What becomes of the rows of one batch."""

    failures: list[dict[str, Any]] = field(default_factory=list)
    stored: list[Subscriber] = field(default_factory=list)
    accepted: list[Row] = field(default_factory=list)
    existing: int = 0

    def fail(self, row: Row, code: int, message: str) -> None:
        self.failures.append({"EmailAddress": row.email, "Code": code, "Message": message})


def import_subscribers(call: Call) -> Answer:
    """201 with five fields, or 400 with Code 210 when some rows failed; the others are stored all the same."""
    require(call, "ImportSubscribers")
    found = find_list(call)
    batch = read_batch(call)
    unique, repeated = _unique(batch.rows, call.options)
    outcome = _decide(call, found, unique, batch)
    store(call.sql, found, outcome.stored)
    store_consent(call.sql, found.client, outcome.accepted, call.options)
    if batch.resubscribe:
        unsuppress(call.sql, found.client, [row.email_key for row in outcome.accepted])
    return _answer(outcome, len(unique), repeated, call.options)


def _unique(rows: list[Row], options: Options) -> tuple[dict[str, Row], list[str]]:
    """One row per address, in the order of the first, and the addresses that came more than once."""
    unique: dict[str, Row] = {}
    repeated: dict[str, str] = {}
    for row in rows:
        key = row.email_key
        if key in unique:
            repeated.setdefault(key, row.email)
            if options.duplicate_winner == "first":
                continue
        unique[key] = row
    return unique, list(repeated.values())


def _decide(call: Call, found: SubscriberList, unique: Mapping[str, Row], batch: Batch) -> Outcome:
    outcome = Outcome()
    known = by_key(call.sql, found, unique)
    barred = set() if batch.resubscribe else suppressed(call.sql, found.client, unique)
    rules = FieldRules(fields_of(call.sql, found), call.options)
    merge = call.options.import_select_many == "merge"
    date = str(found.client.local(call.now()))
    newcomer_state = UNCONFIRMED if found.confirmed_opt_in else ACTIVE
    for key, row in unique.items():
        before = known.get(key)
        try:
            _check(row, call.options)
            refusal = None if batch.resubscribe else _refusal(key in barred, before, call.options)
            if before and refusal:
                state = before.state
            else:
                state = ACTIVE if before else newcomer_state
            after = upserted(row, before, state, date, rules, merge=merge)
        except BadValueError as problem:
            outcome.fail(row, BAD_VALUE_CODE, str(problem))
            continue
        except RefusalError as problem:
            if problem.answer.body["Code"] == 220 and call.options.bad_mobile == "request":
                raise
            outcome.fail(row, problem.answer.body["Code"], problem.answer.body["Message"])
            continue
        if refusal:
            outcome.fail(row, *refusal)
            if before and call.options.refused_row_fields == "updated":
                outcome.stored.append(after)
            continue
        outcome.stored.append(after)
        outcome.accepted.append(row)
        outcome.existing += before is not None
    return outcome


def _check(row: Row, options: Options) -> None:
    problem = row_problem(row)
    if problem:
        raise problem
    if options.consent_scope == "row":
        check_consent(row, options)


def _refusal(
    on_suppression_list: bool, before: Subscriber | None, options: Options
) -> tuple[int, str] | None:
    """Code and message for a row that may not be put back, from what is stored about the address."""
    inactive = INACTIVE.get(before.state) if before else None
    if on_suppression_list:
        if before is None and options.suppressed_newcomer == "add":
            return None
        if options.suppression_first or inactive is None:
            return SUPPRESSED
    return inactive


def _answer(outcome: Outcome, unique: int, repeated: list[str], options: Options) -> Answer:
    result = {
        "FailureDetails": outcome.failures,
        "TotalUniqueEmailsSubmitted": unique,
        "TotalExistingSubscribers": outcome.existing,
        "TotalNewSubscribers": len(outcome.accepted) - outcome.existing,
        "DuplicateEmailsInSubmission": repeated,
    }
    if not outcome.failures:
        return Answer(result, options.import_status)
    if not outcome.accepted and options.all_refused == "first-code":
        first = outcome.failures[0]
        return Answer({"Code": first["Code"], "Message": first["Message"]}, 400)
    message = "Subscriber Import had some failures"
    return Answer({"ResultData": result, "Code": 210, "Message": message}, 400)
