"""`POST /subscribers/{list}/import.json`: many subscribers in one call, some of which may fail."""

from dataclasses import dataclass, field
from typing import Any

from local.standin.accounts import require
from local.standin.admission import Admission, NotPutBackError
from local.standin.answers import Answer, RefusalError
from local.standin.call import Call
from local.standin.consent import store_consent
from local.standin.envelope import read_envelope
from local.standin.lists import find_list
from local.standin.options import Options
from local.standin.submission import Row, read_batch
from local.standin.subscribers import Subscriber, store
from local.standin.suppression import unsuppress
from local.standin.webhooks import announce

BAD_MOBILE = 220


@dataclass
class Outcome:
    """What becomes of the rows of one batch."""

    failures: list[dict[str, Any]] = field(default_factory=list)
    stored: list[Subscriber] = field(default_factory=list)
    accepted: list[Row] = field(default_factory=list)
    existing: int = 0

    def refuse(self, row: Row, refusal: RefusalError) -> None:
        self.failures.append({"EmailAddress": row.email, "Code": refusal.code, "Message": refusal.message})
        if isinstance(refusal, NotPutBackError) and refusal.after:
            self.stored.append(refusal.after)


def import_subscribers(call: Call) -> Answer:
    """201 with five fields, or 400 with Code 210 when some rows failed; the others are stored all the same."""
    require(call, "ImportSubscribers")
    found = find_list(call)
    if call.options.counting:
        rows = read_envelope(call.body)
        return Answer(_result([], rows, 0, rows, []), call.options.import_status)
    batch = read_batch(call)
    unique, repeated = _unique(batch.rows, call.options)
    merge = call.options.import_select_many == "merge"
    admission = Admission(call, found, unique, resubscribe=batch.resubscribe, merge=merge)
    outcome = _outcome(unique, admission, call.options)
    store(call.sql, found.seq, outcome.stored)
    store_consent(call.sql, found.client, outcome.accepted, call.options)
    if batch.resubscribe:
        unsuppress(call.sql, found.client, [row.email_key for row in outcome.accepted])
    announce(call, found, ((admission.known.get(after.email_key), after) for after in outcome.stored))
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


def _outcome(unique: dict[str, Row], admission: Admission, options: Options) -> Outcome:
    outcome = Outcome()
    for key, row in unique.items():
        try:
            outcome.stored.append(admission.admit(row))
        except RefusalError as refusal:
            if refusal.code == BAD_MOBILE and options.bad_mobile == "request":
                raise
            outcome.refuse(row, refusal)
        else:
            outcome.accepted.append(row)
            outcome.existing += key in admission.known
    return outcome


def _answer(outcome: Outcome, unique: int, repeated: list[str], options: Options) -> Answer:
    new = len(outcome.accepted) - outcome.existing
    result = _result(outcome.failures, unique, outcome.existing, new, repeated)
    if not outcome.failures:
        return Answer(result, options.import_status)
    if not outcome.accepted and options.all_refused == "first-code":
        first = outcome.failures[0]
        return Answer({"Code": first["Code"], "Message": first["Message"]}, 400)
    message = "Subscriber Import had some failures"
    return Answer({"ResultData": result, "Code": 210, "Message": message}, 400)


def _result(
    failures: list[dict[str, Any]], unique: int, existing: int, new: int, repeated: list[str]
) -> dict[str, Any]:
    return {
        "FailureDetails": failures,
        "TotalUniqueEmailsSubmitted": unique,
        "TotalExistingSubscribers": existing,
        "TotalNewSubscribers": new,
        "DuplicateEmailsInSubmission": repeated,
    }
