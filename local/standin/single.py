"""One subscriber at a time: add, read, update, unsubscribe and delete."""

from local.standin.accounts import require
from local.standin.admission import Admission
from local.standin.answers import Answer, RefusalError
from local.standin.call import Call, json_object, typed
from local.standin.consent import store_consent
from local.standin.fields import fields_of
from local.standin.lists import SubscriberList, find_list
from local.standin.pending import add_later, throttle
from local.standin.records import records
from local.standin.submission import Row, check_row, read_single, valid_email
from local.standin.subscribers import ACTIVE, DELETED, UNSUBSCRIBED, Subscriber, by_key, store, upserted, with_state
from local.standin.suppression import suppress, unsuppress
from local.standin.values import FieldRules
from local.standin.webhooks import announce


def add(call: Call) -> Answer:
    """201 and the address as a bare JSON string; the service puts an add into a queue."""
    require(call, "ImportSubscribers")
    found = find_list(call)
    row, resubscribe = read_single(call)
    throttle(call, found, row.email_key)
    admission = Admission(call, found, [row.email_key], resubscribe=resubscribe, merge=True)
    after = admission.admit(row)
    if call.options.add_delay:
        add_later(call, found, after)
    else:
        store(call.sql, found.seq, [after])
    _store_around(call, found, row, resubscribe)
    announce(call, found, [(admission.known.get(row.email_key), after)])
    return Answer(row.email, 201)


def read(call: Call) -> Answer:
    found = find_list(call)
    (record,) = records(call, found, [_find(call, found, call.query.get("email", ""))])
    return Answer(record)


def history(call: Call) -> Answer:
    """Nobody mails from here, so there are no actions to show."""
    found = find_list(call)
    _find(call, found, call.query.get("email", ""))
    return Answer([])


def update(call: Call) -> Answer:
    """Also of an inactive subscriber, whose state stays unless the call resubscribes; select-many is replaced."""
    require(call, "ImportSubscribers")
    found = find_list(call)
    before = _find(call, found, call.query.get("email", ""))
    row, resubscribe = read_single(call)
    if not row.email:
        row = row._replace(email=before.email, email_key=before.email_key)
    if not valid_email(row.email):
        raise RefusalError(400, 211, "Invalid new email address")
    check_row(row, call.options)
    throttle(call, found, row.email_key)
    renamed = row.email_key != before.email_key
    if renamed and by_key(call.sql, found, [row.email_key]):
        raise RefusalError(400, 201, "New email address already subscribed")
    rules = FieldRules(fields_of(call.sql, found), call.options)
    date = str(found.client.local(call.now()))
    after = upserted(row, before, ACTIVE if resubscribe else before.state, date, rules, merge=False)
    if renamed:
        call.sql.execute("DELETE FROM subscriber WHERE list = ? AND email_key = ?", (found.seq, before.email_key))
    after = after._replace(email_key=row.email_key, email=row.email)
    store(call.sql, found.seq, [after])
    _store_around(call, found, row, resubscribe)
    announce(call, found, [(before, after)])
    return Answer()


def unsubscribe(call: Call) -> Answer:
    require(call, "ImportSubscribers")
    found = find_list(call)
    email = typed(json_object(call.body, "subscriber"), "emailaddress", str, "subscriber") or ""
    before = _removable(call, found, email, (UNSUBSCRIBED, DELETED))
    date = _leave(call, found, before, UNSUBSCRIBED)
    if found.suppresses:
        suppress(call.sql, found.client, [before.email], "Unsubscribed", date)
    return Answer()


def delete(call: Call) -> Answer:
    """Not suppressed: a later import of the address meets Code 205, not 204."""
    require(call, "ImportSubscribers")
    found = find_list(call)
    before = _removable(call, found, call.query.get("email", ""), (DELETED,))
    _leave(call, found, before, DELETED)
    return Answer()


def _find(call: Call, found: SubscriberList, email: str) -> Subscriber:
    """Raises RefusalError (400, Code 203) when the list has never had the address."""
    subscriber = by_key(call.sql, found, [email.lower()]).get(email.lower())
    if subscriber is None:
        raise RefusalError(400, 203, "Subscriber not in list or has already been removed")
    return subscriber


def _removable(call: Call, found: SubscriberList, email: str, gone: tuple[str, ...]) -> Subscriber:
    """Raises RefusalError (400, Code 203), for a subscriber that is gone already where the options say so."""
    before = _find(call, found, email)
    if before.state in gone and call.options.repeated_removal == "203":
        raise RefusalError(400, 203, "Subscriber not in list or has already been removed")
    return before


def _leave(call: Call, found: SubscriberList, before: Subscriber, state: str) -> str:
    """Returns the date of the change."""
    date = str(found.client.local(call.now()))
    after = with_state(before, state, date)
    store(call.sql, found.seq, [after])
    announce(call, found, [(before, after)])
    return date


def _store_around(call: Call, found: SubscriberList, row: Row, resubscribe: bool) -> None:
    store_consent(call.sql, found.client, [row], call.options)
    if resubscribe:
        unsuppress(call.sql, found.client, [row.email_key])
