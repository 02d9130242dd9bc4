"""``rejects.csv`` of a run: each profile that was not sent or was refused, where it came from, and why."""

import base64
import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import batched

from shared.ports.blobs import Blobs

HEADER = ("segment", "partition", "line", "customer_id", "email", "reason", "message")
BLOCK_ROWS = 50_000

# Stable, for programs; the sentence is for people. A {column} is filled in.
MALFORMED = {
    "malformed_columns": "The row has not as many cells as the segment has columns.",
    "malformed_quotes": "The quotes of the row do not pair, so its cells cannot be told apart.",
    "record_too_long": "The row is longer than 1,048,576 bytes or 1,000 lines.",
    "malformed": "The row cannot be read as CSV in UTF-8.",
}
INVALID = {
    "email_missing": "{column} is empty.",
    "email_invalid": "{column} is not an email address.",
    "mobile_invalid": "{column} is not a number in international form, such as +37060012345.",
    "value_too_long": "{column} is longer than the 250 characters that Campaign Monitor takes.",
    "control_character": "{column} holds a control character, such as a line break or a tabulator.",
    "date_invalid": "{column} goes to a date field and is not a date in the form yyyy-mm-dd.",
    "date_out_of_range": "{column} is not between 1900-01-01 and 2076-06-06, which is what Campaign Monitor takes.",
}
DUPLICATE = {"duplicate_email": "An earlier row has the same email address, whatever the case of its letters."}
_REFUSED = {
    1: "Campaign Monitor does not take the email address.",
    204: "The address is on the suppression list.",
    205: "The subscriber was deleted from the list and is not added again.",
    206: "The subscriber has unsubscribed.",
    207: "The address has bounced.",
    208: "The subscriber has not confirmed yet.",
    220: "Campaign Monitor does not take the mobile number.",
    221: "Campaign Monitor takes neither the email address nor the mobile number.",
}
# Spreadsheets take a file for UTF-8 only with the byte order mark.
_MARK = "\ufeff"
# The wide letters are those of East Asian keyboards.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")


@dataclass(frozen=True)
class Reject:
    """``line`` is 1-based in the partition; ``customer_id`` is empty where the segment has none. One who could not be
    removed stands in no partition any more."""

    segment: str
    partition: str
    line: int
    customer_id: str | None
    email: str | None
    reason: str
    column: str = ""

    @property
    def message(self) -> str:
        known = (MALFORMED | INVALID | DUPLICATE).get(self.reason)
        if known is None:
            what, _, said = self.reason.rpartition("_")
            if what == "not_removed":
                return f"Campaign Monitor refused to take the subscriber off the list with code {said}."
            return _REFUSED.get(int(said), f"Campaign Monitor refused the subscriber with code {said}.")
        return known.replace("{column}", self.column)


class RejectsFile:
    """Written in blocks: those of the plan first, those of the finish behind them. Writing a part again replaces it,
    so that a step that runs twice leaves no line twice."""

    def __init__(self, container: Blobs, name: str) -> None:
        self._container = container
        self._name = name

    @property
    def etag(self) -> str | None:
        """Of the file as it is now; None where there is none."""
        return next((info.etag for info in self._container.list(self._name) if info.name == self._name), None)

    def write(
        self, part: str, rejects: Iterable[Reject], *, after: str | None = None, replaces: str | None = None
    ) -> Counter[str]:
        """Makes ``part`` the last one, behind the part ``after``. ``part`` is one letter; the first has the header.
        Returns how many there are of each reason. Raises Changed where the file is no longer the one with the ETag
        ``replaces``: somebody else has written since who may know more."""
        reasons: Counter[str] = Counter()
        blocks = [block for block in self._container.blocks(self._name) if after and _part(block) == after]
        if after is None:
            blocks.append(self._stage(part, 0, [(_MARK + HEADER[0], *HEADER[1:])]))
        for number, some in enumerate(batched(rejects, BLOCK_ROWS, strict=False), 1):
            blocks.append(self._stage(part, number, map(_cells, some)))
            reasons.update(reject.reason for reject in some)
        self._container.commit(self._name, blocks, replaces=replaces)
        return reasons

    def chunks(self) -> Iterator[bytes]:
        """The file as it is now; nothing where the run has not come so far."""
        return self._container.chunks(self._name)

    def _stage(self, part: str, number: int, rows: Iterable[tuple[str, ...]]) -> str:
        text = io.StringIO()
        csv.writer(text, lineterminator="\r\n").writerows(rows)
        data = text.getvalue().encode()
        # Who stages another block of that number beside it does not take its place; all ids have one length.
        block = base64.b64encode(f"{part}{number:04x}{hashlib.sha256(data).hexdigest():.4}".encode()).decode()
        self._container.stage(self._name, block, data)
        return block


def _part(block: str) -> str:
    return base64.b64decode(block).decode()[0]


def _cells(reject: Reject) -> tuple[str, ...]:
    cells = (
        reject.segment,
        reject.partition,
        str(reject.line) if reject.line else "",
        reject.customer_id or "",
        reject.email or "",
        reject.reason,
        reject.message,
    )
    return tuple(map(safe_cell, cells))


def safe_cell(cell: str) -> str:
    """A cell that a spreadsheet would take for a formula begins with an apostrophe instead."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
