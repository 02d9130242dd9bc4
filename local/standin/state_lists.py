"""What a list or an address looks like from outside: the five state lists, the counters, the lists of an address."""

from datetime import datetime, timedelta

from local.standin.accounts import find_client
from local.standin.answers import Answer
from local.standin.call import Call
from local.standin.lists import find_list, lists_of
from local.standin.paging import Listing, page_of
from local.standin.records import records
from local.standin.subscribers import ACTIVE, BOUNCED, COLUMNS, DELETED, UNSUBSCRIBED, by_key, loaded

# How the counters of a state are called: in all, and in a period.
COUNTERS = {
    ACTIVE: ("TotalActiveSubscribers", "NewActiveSubscribers"),
    UNSUBSCRIBED: ("TotalUnsubscribes", "Unsubscribes"),
    DELETED: ("TotalDeleted", "Deleted"),
    BOUNCED: ("TotalBounces", "Bounces"),
}


def state_list(state: str, call: Call) -> Answer:
    """One page; `date` asks for those whose state changed on that day or later."""
    found = find_list(call)
    page = page_of(call.query)
    source = "FROM subscriber WHERE list = ? AND state = ?" + (" AND changed >= ?" if page.since else "")
    parameters = (found.seq, state, page.since) if page.since else (found.seq, state)
    rows, total = call.pages.read(call.sql, Listing(COLUMNS, source, parameters), page)
    return Answer(page.envelope(records(call, found, map(loaded, rows)), total))


def stats(call: Call) -> Answer:
    """24 counters: four states, each in all and in five periods of the client's calendar; weeks begin on Monday."""
    found = find_list(call)
    periods = _periods(found.client.local(call.now()))
    sums = ", ".join(f"sum(changed >= '{start}' AND changed < '{end}')" for start, end in periods.values())
    rows = call.sql.execute(
        f"SELECT state, count(*), {sums} FROM subscriber WHERE list = ? GROUP BY state", (found.seq,)
    )
    by_state = {state: counts for state, *counts in rows}
    counters: dict[str, int] = {}
    for state, (total, name) in COUNTERS.items():
        counts = by_state.get(state, [0] * (1 + len(periods)))
        counters |= dict(zip([f"{name}{period}" for period in periods], counts[1:], strict=True))
        counters[total] = counts[0]
    return Answer(counters)


def _periods(now: datetime) -> dict[str, tuple[str, str]]:
    """First day of each period, and the day after its last."""
    today = now.date()
    tomorrow = today + timedelta(days=1)
    starts = {
        "Today": today,
        "Yesterday": today - timedelta(days=1),
        "ThisWeek": today - timedelta(days=today.weekday()),
        "ThisMonth": today.replace(day=1),
        "ThisYear": today.replace(month=1, day=1),
    }
    return {name: (str(start), str(today if name == "Yesterday" else tomorrow)) for name, start in starts.items()}


def lists_for_email(call: Call) -> Answer:
    client = find_client(call)
    key = call.query.get("email", "").lower()
    shown = []
    for each in lists_of(call.sql, client):
        for subscriber in by_key(call.sql, each, [key]).values():
            shown.append(
                {
                    "ListID": each.id,
                    "ListName": each.title,
                    "SubscriberState": subscriber.state,
                    "DateSubscriberAdded": subscriber.joined,
                }
            )
    return Answer(shown)
