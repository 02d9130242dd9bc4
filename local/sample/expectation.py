"""What a first export of the sample must come to, worked out from the fate of each row and from nothing else.

It shares no code with the app: the two come to the same list, or one of them is wrong.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from local.sample.columns import FOREIGN_FIELD
from local.sample.fates import Row
from local.sample.layout import SEGMENT, Sample
from local.sample.people import Profile

ACTIVE = "Active"


@dataclass(frozen=True, slots=True)
class Subscriber:
    """As the list holds one: custom fields by bare key, those without a value left out, dates as `YYYY-MM-DD`."""

    email: str
    name: str
    mobile: str
    state: str
    fields: dict[str, str]


class Reject(NamedTuple):
    segment: str
    partition: str
    line: int
    reason: str


def account(sample: Sample) -> dict[str, int]:
    """The counts of a run, under the names that a run has them under."""
    terms = Counter(row.fate.counted_as for row in _rows(sample))
    to_send = terms["added"] + terms["updated"] + terms["refused"]
    names = ("malformed", "invalid", "duplicate", "unchanged", "added", "updated", "refused", "unsent")
    return {"rows_read": terms.total(), "to_send": to_send, **{name: terms[name] for name in names}}


def rejects(sample: Sample) -> Iterator[Reject]:
    """In the order of the files."""
    for number in range(1, sample.partitions + 1):
        for placed in sample.rows(number):
            fate = placed.row.fate
            if fate.counted_as not in ("added", "updated"):
                yield Reject(SEGMENT, sample.partition(number), placed.line, fate.value)


def known_before(sample: Sample) -> Iterator[Subscriber]:
    """What the list must hold before the run: those whom the sample updates, those whom it may not bring back, and one
    who has left the segment. Nobody twice."""
    yield _departed(sample)
    for row in _rows(sample):
        if row.known_as:
            yield _before(row)


def afterwards(sample: Sample) -> Iterator[Subscriber]:
    """What the list must hold after the run, in no particular order; nobody twice."""
    yield _departed(sample)
    for row in _rows(sample):
        if row.fate.is_sent:
            yield _after(row)


def _departed(sample: Sample) -> Subscriber:
    """Stays as somebody has entered it by hand: nobody is removed, and the earlier refresh is not read again."""
    return Subscriber(sample.departed.email, "Somebody Else", "", ACTIVE, {FOREIGN_FIELD: "Harbour"})


def _rows(sample: Sample) -> Iterator[Row]:
    for number in range(1, sample.partitions + 1):
        for placed in sample.rows(number):
            yield placed.row


def _before(row: Row) -> Subscriber:
    if row.known_as != ACTIVE:
        # With the values that the row brings: whether a row that is refused still changes them, nobody has verified.
        return _subscriber(row.meant, row.known_as, {})
    former = row.meant._replace(
        first_name="Former",
        last_name="Name",
        mobile="+447700900999",
        city="Elsewhere",
        birth_date="1970-01-01",
        tier="Bronze",
        spend="1.00",
    )
    return _subscriber(former, ACTIVE, {FOREIGN_FIELD: "Market Square"})


def _after(row: Row) -> Subscriber:
    """A field that the export does not map stays."""
    if not row.known_as:
        return _subscriber(row.meant, ACTIVE, {})
    before = _before(row)
    kept = {key: value for key, value in before.fields.items() if key == FOREIGN_FIELD}
    return _subscriber(row.meant, row.known_as, kept)


def _subscriber(person: Profile, state: str, others: dict[str, str]) -> Subscriber:
    name = " ".join(part for part in (person.first_name, person.last_name) if part)
    mapped = {
        "City": person.city,
        "Birthday": person.birth_date,
        "Loyaltytier": person.tier,
        "Totalspend": person.spend,
    }
    fields = {key: value for key, value in mapped.items() if value} | others
    return Subscriber(person.email, name, person.mobile, state, fields)
