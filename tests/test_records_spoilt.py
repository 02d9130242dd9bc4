"""A row that is spoilt costs itself alone: over delimiters, encodings, columns, positions and how the bytes are cut."""

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading import sizes

from shared.segments import csv_records
from shared.segments import lines as lines_of
from shared.segments.csv_layout import Dialect, Layout
from shared.segments.csv_records import blocks
from shared.segments.record_cutter import COLUMNS, LONGEST_RECORD, QUOTES, TOO_LONG

DELIMITERS = st.sampled_from(",;|\t%")
ENCODINGS = st.sampled_from(["utf-8", "windows-1252", "utf-16-le", "shift_jis"])
BAD_BYTES = {"utf-8": b"\xff", "windows-1252": b"\x81", "utf-16-le": b"\x00\xd8", "shift_jis": b"\x80"}
WORDS = st.text(st.sampled_from("abcdefg. '-"), min_size=1, max_size=8)


@dataclass
class File:
    """Rows of an id, words, and an address in the column ``email``."""

    rows: list[list[str]]
    email: int
    delimiter: str
    encoding: str
    quoting: int
    chunk: int

    def lines(self) -> list[str]:
        text = io.StringIO()
        writer = csv.writer(text, delimiter=self.delimiter, quoting=self.quoting, lineterminator="\n")  # type: ignore[arg-type]
        writer.writerows(self.rows)
        return text.getvalue().splitlines()

    def read(self, lines: Iterable[str | bytes]) -> tuple[dict[int, list[str]], dict[int, str]]:
        end = "\n".encode(self.encoding)
        data = b"".join((one if isinstance(one, bytes) else one.encode(self.encoding)) + end for one in lines)
        dialect = Dialect(self.delimiter, encoding=self.encoding)
        layout = Layout(len(self.rows[0]), self.email)
        found = [*blocks(lambda: sizes(data, self.chunk), dialect, "here", lambda _: layout, block_bytes=self.chunk)]
        records = {line: dialect.cells(record) for block in found for line, record in block.records}
        return records, {line: reason for block in found for line, reason in block.spoilt.items()}

    def expected(self, *without: int) -> dict[int, list[str]]:
        return {line: row for line, row in enumerate(self.rows, 1) if line not in without}


@st.composite
def files(draw: st.DrawFn, least: int = 1) -> File:
    columns, email = draw(st.integers(3, 6)), draw(st.integers(0, 2))
    rows = [
        [f"u{line}@example.com" if at == email else draw(WORDS) for at in range(columns)]
        for line in range(draw(st.integers(least, 30)))
    ]
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    return File(rows, email, draw(DELIMITERS), draw(ENCODINGS), quoting, draw(st.sampled_from([7, 64, 1 << 20])))


def with_a_cell_too_many(line: str, at: int, delimiter: str) -> str:
    cells = line.split(delimiter)
    return delimiter.join([*cells[:at], "", *cells[at:]])


def with_two_empty_ones_at_its_end(line: str, _: int, delimiter: str) -> str:
    return line + 2 * delimiter


def with_a_cell_too_few(line: str, at: int, delimiter: str) -> str:
    cells = line.split(delimiter)
    return delimiter.join([*cells[:at], *cells[at + 1 :]])


def with_an_opened_cell(line: str, at: int, delimiter: str) -> str:
    cells = line.split(delimiter)
    cells[at] = f'"{cells[at]}'
    return delimiter.join(cells)


def with_a_long_cell(line: str, at: int, delimiter: str) -> str:
    cells = line.split(delimiter)
    cells[at] = cells[at][:-1] + "x" * LONGEST_RECORD + cells[at][-1:]
    return delimiter.join(cells)


SPOILT = {
    COLUMNS: [with_a_cell_too_many, with_two_empty_ones_at_its_end, with_a_cell_too_few],
    QUOTES: [with_an_opened_cell],
    TOO_LONG: [with_a_long_cell],
}


@pytest.mark.parametrize(
    ("reason", "spoil"),
    [(reason, spoil) for reason, ways in SPOILT.items() for spoil in ways],
    ids=lambda one: getattr(one, "__name__", one),
)
@settings(deadline=None)
@given(data=st.data())
def test_no_row_but_the_spoilt_one_differs(
    reason: str, spoil: Callable[[str, int, str], str], data: st.DataObject
) -> None:
    file = data.draw(files(2))
    if reason == TOO_LONG and file.chunk < 64:
        file.chunk = 1 << 20
    lines = file.lines()
    line, at = data.draw(st.integers(2, len(lines))), data.draw(st.integers(0, 2))
    lines[line - 1] = spoil(lines[line - 1], at, file.delimiter)

    assert file.read(lines) == (file.expected(line), {line: reason})


@given(file=files(2), data=st.data())
def test_nor_does_one_where_a_byte_is_bad(file: File, data: st.DataObject) -> None:
    """It is told when its cells are read."""
    file.quoting = csv.QUOTE_MINIMAL
    line = data.draw(st.integers(1, len(file.rows)))
    lines: list[str | bytes] = [*file.lines()]
    lines[line - 1] = str(lines[line - 1]).encode(file.encoding) + BAD_BYTES[file.encoding]

    records, spoilt = file.read(lines)

    assert spoilt == {}
    assert {at: cells for at, cells in records.items() if at != line} == file.expected(line)
    assert "\ufffd" in "".join(records[line])


@given(file=files(3), data=st.data())
def test_two_stray_quotes_cost_the_row_of_the_first(file: File, data: st.DataObject) -> None:
    file.quoting = csv.QUOTE_MINIMAL
    lines = file.lines()
    first = data.draw(st.integers(1, len(lines) - 1))
    last = data.draw(st.integers(first + 1, len(lines)))
    at = data.draw(st.integers(0, len(file.rows[0]) - 1).filter(lambda one: one != file.email))
    lines[first - 1] = with_an_opened_cell(lines[first - 1], at, file.delimiter)
    cells = lines[last - 1].split(file.delimiter)
    cells[at] += '"'
    lines[last - 1] = file.delimiter.join(cells)
    file.rows[last - 1][at] += '"'

    assert file.read(lines) == (file.expected(first), {first: QUOTES})


# Cells that are open for longer than lines are held: the bytes are read a second time.


@pytest.fixture
def little_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_records, "_MOST_HELD", 2000)
    monkeypatch.setattr(lines_of, "_LOOKED_AT", 100)


def cut(lines: list[str]) -> tuple[list[int], dict[int, str], int]:
    """The lines of the records, those that are spoilt, and how often the bytes were read."""
    data, times = "\n".join(lines).encode(), 0

    def read() -> Iterable[bytes]:
        nonlocal times
        times += 1
        return sizes(data, 500)

    found = [*blocks(read, Dialect(), "here", lambda _: Layout(3, 1), block_bytes=500)]
    records = [line for block in found for line, _ in block.records]
    return records, {line: reason for block in found for line, reason in block.spoilt.items()}, times


ROW = "a,b@example.com,c"


@pytest.mark.usefixtures("little_held")
def test_a_cell_that_is_never_closed_costs_its_row() -> None:
    lines = [ROW, 'a,b@example.com,"c', *[ROW] * 2000]

    assert cut(lines) == ([1, *range(3, 2003)], {2: QUOTES}, 2)


@pytest.mark.usefixtures("little_held")
def test_so_does_one_that_a_quote_breaks_much_later() -> None:
    lines = [ROW, 'a,b@example.com,"c', *[ROW] * 1500, 'a,b@example.com,"c"', *[ROW] * 20]

    assert cut(lines) == ([1, *range(3, len(lines) + 1)], {2: QUOTES}, 2)


@pytest.mark.usefixtures("little_held")
def test_one_that_is_closed_much_later_is_too_long() -> None:
    lines = [ROW, 'a,b@example.com,"c', *[ROW] * 1500, '"', ROW]

    assert cut(lines) == ([1, len(lines)], {2: TOO_LONG}, 1)


@pytest.mark.usefixtures("little_held")
def test_lines_that_each_open_a_cell_are_looked_through_once() -> None:
    lines = [*['1 5",u@x.example,"y,z'] * 3000, ROW]

    records, spoilt, times = cut(lines)

    assert (len(records), len(spoilt), times) == (1, 3000, 2)
