"""The sample as Customer Insights writes it: dated folders of CSV partitions without a header row, and model.json.

The documentation does not say how the cells are quoted or how the lines end, so each partition does it in its own way.
"""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Any, Literal, NamedTuple
from uuid import UUID

from local.sample import cases
from local.sample.columns import COLUMNS, fillers
from local.sample.fates import Fate, Row
from local.sample.people import Profile, digest, profile

FOLDER, TABLE = "BlobExport", "HighValueSegment"
SEGMENT = f"{FOLDER}/{TABLE}"
HOST = "https://contosocustomerdata.blob.core.windows.net"

ROWS_IN_A_PIECE = 500
BLANK_EVERY, BLANK_PLACE = 500, 250  # before such a row stands a blank line


class Style(NamedTuple):
    """How a partition is written; the rows take the ways of quoting by turns."""

    quoting: tuple[Literal[0, 1], ...]
    line_end: str = "\n"
    mark: str = ""


STYLES = (
    Style((csv.QUOTE_MINIMAL,)),
    Style((csv.QUOTE_ALL,), line_end="\r\n"),
    Style((csv.QUOTE_ALL, csv.QUOTE_MINIMAL), mark="\ufeff"),
)


class Placed(NamedTuple):
    """A row and where its record starts: the line is physical, the first of the file is 1."""

    position: int  # in the sample, from 0
    row: Row
    line: int
    content: list[str] | str  # the cells, or the text of a record that is not a row


class Blob(NamedTuple):
    path: str  # inside the container
    pieces: Iterator[bytes]


@dataclass(frozen=True)
class Sample:
    """One refresh of one segment: the same arguments give the same bytes.

    Every special case occurs from 1,000 profiles on. A million take a quarter of a minute and next to no memory.
    """

    profiles: int = 3_000
    seed: int = 1
    partitions: int = 3
    refreshed_at: datetime = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    container: str = "customerinsights"

    def blobs(self) -> Iterator[Blob]:
        """Everything in the container: what an earlier refresh left, then the partitions, then model.json."""
        day_before = self.refreshed_at - timedelta(days=1)
        yield Blob(self._path(1, day_before), _written(self._earlier_rows(), STYLES[0]))
        for number in range(1, self.partitions + 1):
            style = STYLES[(number - 1) % len(STYLES)]
            yield Blob(self._path(number, self.refreshed_at), _written(self.rows(number), style))
        yield Blob(f"{self._root}/model.json", iter([json.dumps(self._model(), indent=2).encode()]))

    def rows(self, number: int) -> Iterator[Placed]:
        """The rows of partition `number` (the first is 1), in the order of the file."""
        first, end = (self.profiles * n // self.partitions for n in (number - 1, number))
        line = 1
        for index in range(first, end):
            row = cases.row(self.seed, index, is_last=index == self.profiles - 1)
            cells = self._cells(row, index)
            content = row.damage(cells) if row.damage else cells
            line += _blank_line_before(index)
            yield Placed(index, row, line, content)
            line += 1 + "".join(content).count("\n")

    def partition(self, number: int) -> str:
        """The file name."""
        return f"{TABLE}_{number}.csv"

    @property
    def departed(self) -> Profile:
        """Who was in the segment at the earlier refresh and is not any more."""
        return profile(self.seed, self.profiles)

    @property
    def _root(self) -> str:
        return f"CustomerInsights_{UUID(bytes=digest(self.seed, 2**64 - 1))}/{FOLDER}"

    def _path(self, number: int, moment: datetime) -> str:
        return f"{self._root}/{TABLE}/{moment:%Y/%m/%d/%H%M}/{self.partition(number)}"

    def _model(self) -> dict[str, Any]:
        """Without fileFormatSettings: then there is no header row, and the columns are in the order of `attributes`."""
        numbers = range(1, self.partitions + 1)
        entity = {
            "$type": "LocalEntity",
            "name": TABLE,
            "attributes": [{"name": name, "dataType": kind} for name, kind in COLUMNS.items()],
            "partitions": [
                {"name": f"{TABLE}_{n}", "location": f"{HOST}/{self.container}/{self._path(n, self.refreshed_at)}"}
                for n in numbers
            ],
        }
        modified = self.refreshed_at.isoformat()
        return {"name": FOLDER, "version": "1.0", "modifiedTime": modified, "entities": [entity]}

    def _earlier_rows(self) -> Iterator[Placed]:
        left_over = Row(self.departed, self.departed, Fate.ADDED)
        yield Placed(0, left_over, 1, self._cells(left_over, 0))

    def _cells(self, row: Row, index: int) -> list[str]:
        shared = fillers(self.seed)
        return [*row.written, *shared[index % len(shared)]]


def _blank_line_before(index: int) -> bool:
    return index % BLANK_EVERY == BLANK_PLACE


def _written(rows: Iterator[Placed], style: Style) -> Iterator[bytes]:
    """In UTF-8, a few hundred kilobytes at a time."""
    text = io.StringIO(style.mark, newline="")
    text.seek(0, io.SEEK_END)
    writers = [csv.writer(text, quoting=quoting, lineterminator=style.line_end) for quoting in style.quoting]
    for batch in batched(rows, ROWS_IN_A_PIECE, strict=False):
        for placed in batch:
            if _blank_line_before(placed.position):
                text.write(style.line_end)
            if isinstance(placed.content, str):
                text.write(placed.content + style.line_end)
            else:
                writers[placed.position % len(writers)].writerow(placed.content)
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()
