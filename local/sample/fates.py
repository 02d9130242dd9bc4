"""What becomes of a row is decided when the row is made, and travels with it."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple

from local.sample.people import Profile


class Fate(StrEnum):
    """What the account counts a row as; of a row that is turned down, its reason code."""

    ADDED = "added"
    UPDATED = "updated"
    MALFORMED_COLUMNS = "malformed_columns"
    MALFORMED_QUOTES = "malformed_quotes"
    EMAIL_MISSING = "email_missing"
    EMAIL_INVALID = "email_invalid"
    VALUE_TOO_LONG = "value_too_long"
    DATE_OUT_OF_RANGE = "date_out_of_range"
    CONTROL_CHARACTER = "control_character"
    MOBILE_INVALID = "mobile_invalid"
    DUPLICATE_EMAIL = "duplicate_email"
    REFUSED_DELETED = "refused_205"
    REFUSED_UNSUBSCRIBED = "refused_206"
    REFUSED_BOUNCED = "refused_207"

    @property
    def counted_as(self) -> str:
        """The name of its term in the account."""
        return _TERMS.get(self.partition("_")[0], "invalid")

    @property
    def is_sent(self) -> bool:
        return self.counted_as in ("added", "updated", "refused")


_TERMS = {
    "added": "added",
    "updated": "updated",
    "malformed": "malformed",
    "duplicate": "duplicate",
    "refused": "refused",
}


class Row(NamedTuple):
    """`written` stands in the file; `meant` is what the list must hold of a row that is taken.

    `known_as`: the state that the list has the address in before the run; empty for an address that it does not know.
    `damage`: makes the text of a record that no CSV reader can read as a row.
    """

    written: Profile
    meant: Profile
    fate: Fate
    known_as: str = ""
    damage: Callable[[Sequence[str]], str] | None = None
