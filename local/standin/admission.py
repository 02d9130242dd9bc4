"""Who may be put on a list, and what is stored then: the rules that an import and an add share."""

from collections.abc import Collection

from local.standin.answers import RefusalError
from local.standin.call import Call
from local.standin.fields import fields_of
from local.standin.lists import SubscriberList
from local.standin.submission import Row, check_row
from local.standin.subscribers import (
    ACTIVE,
    BOUNCED,
    DELETED,
    UNCONFIRMED,
    UNSUBSCRIBED,
    Subscriber,
    by_key,
    upserted,
)
from local.standin.suppression import suppressed
from local.standin.values import FieldRules

SUPPRESSED = (204, "Subscriber has existed in the selected list before, and currently exists in suppression list")
INACTIVE = {
    DELETED: (205, "Subscriber is deleted"),
    UNSUBSCRIBED: (206, "Subscriber is unsubscribed"),
    BOUNCED: (207, "Subscriber is bounced"),
    UNCONFIRMED: (208, "Subscriber is unconfirmed"),
}


class NotPutBackError(RefusalError):
    """Code 204 to 208. `after`: what a refused row still changes, where the options say that it does."""

    def __init__(self, code: int, message: str, after: Subscriber | None) -> None:
        super().__init__(400, code, message)
        self.after = after


class Admission:
    """What is known about the addresses (keys) of one call, read once for all its rows."""

    def __init__(
        self, call: Call, subscriber_list: SubscriberList, keys: Collection[str], *, resubscribe: bool, merge: bool
    ) -> None:
        self.known = by_key(call.sql, subscriber_list, keys)
        self._suppressed = set() if resubscribe else suppressed(call.sql, subscriber_list.client, keys)
        self._rules = FieldRules(fields_of(call.sql, subscriber_list), call.options)
        self._date = str(subscriber_list.client.local(call.now()))
        self._newcomer = UNCONFIRMED if subscriber_list.confirmed_opt_in else ACTIVE
        self._options = call.options
        self._resubscribe = resubscribe
        self._merge = merge

    def admit(self, row: Row) -> Subscriber:
        """What to store. Raises RefusalError (400) with the row's own code."""
        check_row(row, self._options)
        before = self.known.get(row.email_key)
        objection = None if self._resubscribe else self._objection(row.email_key, before)
        if objection:
            after = None
            if before and self._options.refused_row_fields == "updated":
                after = self._after(row, before, before.state)
            raise NotPutBackError(*objection, after)
        return self._after(row, before, ACTIVE if before else self._newcomer)

    def _after(self, row: Row, before: Subscriber | None, state: str) -> Subscriber:
        return upserted(row, before, state, self._date, self._rules, merge=self._merge)

    def _objection(self, key: str, before: Subscriber | None) -> tuple[int, str] | None:
        inactive = INACTIVE.get(before.state) if before else None
        if key in self._suppressed:
            if before is None and self._options.suppressed_newcomer == "add":
                return None
            if self._options.suppression_first or inactive is None:
                return SUPPRESSED
        return inactive
