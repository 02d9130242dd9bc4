"""``rejects.csv`` by reason, for one who looks at a run."""

import codecs
import csv
from collections.abc import Iterable, Iterator

from pydantic import BaseModel, ConfigDict

from shared.checks.first_subscribers import masked

FIRST_ROWS = 10


class _Shown(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RejectRow(_Shown):
    """Where the profile came from; ``line`` is null where the service refused an address that was not sent. ``email``
    is masked unless it was asked for."""

    segment: str
    partition: str
    line: int | None
    customer_id: str
    email: str


class RejectGroup(_Shown):
    """How many profiles were turned down for one reason; ``first`` are up to FIRST_ROWS of them."""

    reason: str
    message: str
    count: int
    first: tuple[RejectRow, ...]


def grouped(chunks: Iterable[bytes], *, show: bool = False) -> list[RejectGroup]:
    """The largest group first. A message names its column, so that a reason may have several groups."""
    counts: dict[tuple[str, str], int] = {}
    first: dict[tuple[str, str], list[RejectRow]] = {}
    rows = csv.reader(_lines(chunks))
    next(rows, None)
    for segment, partition, line, customer_id, email, reason, message, *_ in rows:  # a newer version may tell more
        group = (reason, message)
        counts[group] = counts.get(group, 0) + 1
        shown = first.setdefault(group, [])
        if len(shown) < FIRST_ROWS:
            shown.append(
                RejectRow(
                    segment=segment,
                    partition=partition,
                    line=int(line) if line else None,
                    customer_id=customer_id,
                    email=email if show or not email else masked(email),
                )
            )
    order = sorted(counts, key=lambda group: -counts[group])
    return [
        RejectGroup(reason=reason, message=message, count=counts[reason, message], first=tuple(first[reason, message]))
        for reason, message in order
    ]


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """Cells hold line breaks only where a column or a segment does; the reader puts those lines together again."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    rest = ""
    for chunk in chunks:
        *lines, rest = (rest + decoder.decode(chunk)).split("\n")
        yield from (f"{line}\n" for line in lines)
    if rest:
        yield rest
