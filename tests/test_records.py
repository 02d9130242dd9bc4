"""Records are cut where a careful reader would cut them, wherever the bytes are cut; a bad row costs itself alone."""

import csv
import io

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from reading import plan, sizes

from shared.segments.csv_layout import Dialect, Layout
from shared.segments.csv_records import blocks
from shared.segments.record_cutter import COLUMNS, LONGEST_RECORD, MOST_LINES_OF_A_RECORD, QUOTES, TOO_LONG

COMMA = Dialect()
# What makes CSV difficult, and a little of what does not.
PIECES = st.sampled_from(
    ['"', '""', '"""', ",", ",,", "\n", "\r\n", "\r", " ", "a", "b c", 'd"', '"e"', "ž", ';"', "1"]
)
TEXTS = st.lists(PIECES, max_size=40).map("".join)
CELLS = st.text(st.sampled_from('ab ž",\n;'), max_size=6)


def cut(
    text: str | bytes,
    columns: int = 3,
    *,
    email: int | None = None,
    dialect: Dialect = COMMA,
    chunk: int = 1 << 20,
    block_bytes: int = 1 << 20,
) -> tuple[list[tuple[int, list[str]]], dict[int, str]]:
    """Lines and cells of the records; the lines of the spoilt ones, each with its reason."""
    data = text.encode() if isinstance(text, str) else text
    layout = Layout(columns, email)
    found = list(blocks(lambda: sizes(data, chunk), dialect, "here", lambda _: layout, block_bytes=block_bytes))
    records = [(line, dialect.cells(record)) for block in found for line, record in block.records]
    return records, {line: reason for block in found for line, reason in block.spoilt.items()}


CASES = {
    "LF": ("a,b,c\nd,e,f\n", {1: "a|b|c", 2: "d|e|f"}, {}),
    "CRLF": ("a,b,c\r\nd,e,f\r\n", {1: "a|b|c", 2: "d|e|f"}, {}),
    "mixed": ("a,b,c\nd,e,f\r\ng,h,i\n", {1: "a|b|c", 2: "d|e|f", 3: "g|h|i"}, {}),
    "byte order mark": ("\ufeffa,b,c\n", {1: "a|b|c"}, {}),
    "only a byte order mark": ("\ufeff", {}, {}),
    "nothing": ("", {}, {}),
    "no line break at the end": ("a,b,c\nd,e,f", {1: "a|b|c", 2: "d|e|f"}, {}),
    "half a line break at the end": ("a,b,c\r\nd,e,f\r", {1: "a|b|c", 2: "d|e|f"}, {}),
    "blank lines": ("\n\na,b,c\n\r\n\nd,e,f\n\n", {3: "a|b|c", 6: "d|e|f"}, {}),
    "line break in a cell": ('a,"b\nB\n\nb",c\nd,e,f\n', {1: "a|b\nB\n\nb|c", 5: "d|e|f"}, {}),
    "CRLF in a cell": ('a,"b\r\nB",c\r\nd,e,f\r\n', {1: "a|b\nB|c", 3: "d|e|f"}, {}),
    "two such cells": ('a,"b\nb","c\nc"\nd,e,f\n', {1: "a|b\nb|c\nc", 4: "d|e|f"}, {}),
    "quotes in quotes": ('"a ""b""",""",",""""\n', {1: 'a "b"|",|"'}, {}),
    "delimiters in quotes": ('"a,a",",",b\n', {1: "a,a|,|b"}, {}),
    "empty cells": (',"",\n"","",""\n', {1: "||", 2: "||"}, {}),
    "a quote in a cell without": (
        '5",b 6" c,d\n5" x,7",e\nf,g,h\n',
        {1: '5"|b 6" c|d', 2: '5" x|7"|e', 3: "f|g|h"},
        {},
    ),
    "space before a quote": ('a, "b",c\nd,e,f\n', {1: 'a| "b"|c', 2: "d|e|f"}, {}),
    "lone carriage return": ("a,b\rB,c\nd,e,f\n", {1: "a|b\vB|c", 2: "d|e|f"}, {}),
    "text after a quote": ('a,"b"B,c\nd,e,f\n', {2: "d|e|f"}, {1: QUOTES}),
    "space after a quote": ('a,"b" ,c\nd,e,f\n', {2: "d|e|f"}, {1: QUOTES}),
    "never closed": ('a,"b,c\nd,e,f\ng,h,i\n', {2: "d|e|f", 3: "g|h|i"}, {1: QUOTES}),
    "never closed, quotes after it": ('a,"b,c\nd,"e",f\ng,h,i\n', {2: "d|e|f", 3: "g|h|i"}, {1: QUOTES}),
    "never closed, all quoted": ('"a","b,c\n"d","e","f"\n', {2: "d|e|f"}, {1: QUOTES}),
    "never closed, empty cells after it": ('"a","b,c\n"","",""\n"d","e","f"\n', {2: "||", 3: "d|e|f"}, {1: QUOTES}),
    "never closed, in the last line": ('a,b,c\nd,"e,f', {1: "a|b|c"}, {2: QUOTES}),
    "opened after a stray quote": (
        '5" x,"a,b\nd,e,f\ng,"h",i\nj,k,l\n',
        {2: "d|e|f", 3: "g|h|i", 4: "j|k|l"},
        {1: QUOTES},
    ),
    "opened, and closed by a stray quote": (
        'a,"b,c\nd,e,f@example.com\ng,h,5"\nj,k,l\n',
        {2: "d|e|f@example.com", 3: 'g|h|5"', 4: "j|k|l"},
        {1: QUOTES},
    ),
    "so, without an address": ('a@example.com,"b,c\nd,e,f\ng,h,5"\nj,k,l\n', {4: "j|k|l"}, {1: QUOTES}),
    "so, in lines that follow each other": (
        'a,"b,c\nd,e@example.com,5"\nj,k,l\n',
        {2: 'd|e@example.com|5"', 3: "j|k|l"},
        {1: QUOTES},
    ),
    "so, with a line between that is no row": (
        'a,"b,c\nd,e,f@example.com\nx\ng,h,5"\nj,k,l\n',
        {5: "j|k|l"},
        {1: QUOTES},
    ),
    "a note with a line like a row": (
        'a,b,"Dear\nd,e,f@example.com\nBye"\nj,k,l\n',
        {4: "j|k|l"},
        {1: QUOTES},
    ),
    "a note with lines": (
        'a,b,"Dear, you,\ncome\nBye, me"\nj,k,l\n',
        {1: "a|b|Dear, you,\ncome\nBye, me", 4: "j|k|l"},
        {},
    ),
    "too few and too many": ("a,b\na,b,c,d\nj,k,l\n", {3: "j|k|l"}, {1: COLUMNS, 2: COLUMNS}),
    "too many that are empty": ("a,b,c,\na,b,c,,\nj,k,l\n", {3: "j|k|l"}, {1: COLUMNS, 2: COLUMNS}),
    "a delimiter at the end of each": (
        "a,b,c,\nd,e,f,\ng,h,i\nj,k,l,m\nm,n,o,\n",
        {1: "a|b|c", 2: "d|e|f", 3: "g|h|i", 5: "m|n|o"},
        {4: COLUMNS},
    ),
    "a delimiter at the end of some": ("a,b,c\nd,e,f,\ng,h,i,\n", {1: "a|b|c"}, {2: COLUMNS, 3: COLUMNS}),
    "a last column that is empty": ("a,b,\nd,e,\n", {1: "a|b|", 2: "d|e|"}, {}),
    "CR": ("a,b,c\rd,e,f\rg,h,i", {1: "a|b|c", 2: "d|e|f", 3: "g|h|i"}, {}),
    "CR, quoted": ('a,"b\rB",c\rd,e,f\r', {1: "a|b\nB|c", 3: "d|e|f"}, {}),
    "broken in its second line": ('a,"b\nB"B,c\nd,e,f\n', {3: "d|e|f"}, {1: QUOTES, 2: COLUMNS}),
    "too few cells over two lines": ('a,"b\nB"\nd,e,f\n', {3: "d|e|f"}, {1: COLUMNS}),
}


@pytest.mark.parametrize(("text", "records", "spoilt"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1 << 20])
def test_records_and_their_lines(text: str, records: dict[int, str], spoilt: dict[int, str], size: int) -> None:
    found, unread = cut(text, chunk=size, block_bytes=size)

    assert {line: "|".join(cells) for line, cells in found} == records
    assert unread == spoilt


@given(text=TEXTS, chunk=st.integers(1, 9), block=st.integers(1, 40), columns=st.integers(1, 4))
@example(text='"\n",\n"a', chunk=1, block=1, columns=2)
def test_where_the_bytes_are_cut_changes_nothing(text: str, chunk: int, block: int, columns: int) -> None:
    assert cut(text, columns, chunk=chunk, block_bytes=block) == cut(text, columns)


@given(rows=st.lists(st.lists(CELLS, min_size=3, max_size=3)), quoting=st.sampled_from([0, 1]), crlf=st.booleans())
def test_well_formed_text_is_read_as_by_the_standard_library(rows: list[list[str]], quoting: int, crlf: bool) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=quoting, lineterminator="\r\n" if crlf else "\n").writerows(rows)  # type: ignore[arg-type]
    reader = csv.reader(io.StringIO(text.getvalue(), newline=""), strict=True)
    expected, begins = [], 1
    for row in reader:
        expected.append((begins, row))
        begins = reader.line_num + 1

    assert cut(text.getvalue()) == (expected, {})


@given(before=st.lists(PIECES, max_size=12).map("".join), rows=st.integers(1, 5))
def test_bad_rows_never_swallow_a_good_one_behind_them(before: str, rows: int) -> None:
    """In quotes throughout, as Customer Insights may write it, a row ends what went wrong before it."""
    good = '"g","h","i"\n' * rows
    assume(before.replace("\r\n", "\n").count("\r") <= before.count("\n"))  # else CR alone ends a line

    found, _ = cut(f"{before}\n{good}")

    lines = before.replace("\r\n", "\n").count("\n") + 1
    assert [(lines + number, ["g", "h", "i"]) for number in range(1, rows + 1)] == found[-rows:]


@pytest.mark.parametrize("inner", ["x", "x,y,z@example.com"])
def test_a_cell_of_more_than_a_thousand_lines_is_too_long(inner: str) -> None:
    lines = [inner] * (MOST_LINES_OF_A_RECORD - 2)
    before, after = "a,b,c\n", "d,e,f\n"

    def text(lines: list[str]) -> str:
        return before + 'a,b,"Dear\n' + "\n".join(lines) + '\nBye"\n' + after

    assert cut(text(lines))[1] == ({} if inner == "x" else {2: QUOTES})
    found, spoilt = cut(text([*lines, inner]))
    assert [line for line, _ in found] == [1, MOST_LINES_OF_A_RECORD + 3]
    assert spoilt == {2: TOO_LONG}


def test_without_quoting_quotes_are_letters() -> None:
    dialect = Dialect(quoted=False)

    assert cut('a,"b,c"\n"d,e,f\n', dialect=dialect) == ([(1, ["a", '"b', 'c"']), (2, ['"d', "e", "f"])], {})


@pytest.mark.parametrize("size", [1000, 100_000, 10_000_000])
@pytest.mark.parametrize("length", [1, 3 * LONGEST_RECORD])
def test_a_line_that_is_too_long_costs_itself(size: int, length: int) -> None:
    long = "x" * (LONGEST_RECORD + length)
    text = f'a,b,c\n{long}\nd,e,f\ng,"{long}\nx,y,z@example.com\nBye",h\ng,h,i\n{long}'

    found, spoilt = cut(text, chunk=size, block_bytes=size)

    assert [line for line, _ in found] == [1, 3, 7]
    assert spoilt == {2: TOO_LONG, 4: TOO_LONG, 8: TOO_LONG}


def test_rows_that_duckdb_would_read_otherwise_reach_it_rewritten() -> None:
    """It ends a row at a lone carriage return, and opens a cell at a quote behind blanks: over the end of the row."""
    planned = plan(
        '1,a@example.com, "x"",y\n'  # four cells
        '2,b@example.com, "x""\n'
        '3,c@example.com,5" x\n'
        "4,d@example.com,one\rtwo\n"
        "5,e@example.com,Cork\n"
    )

    assert planned.emails == ["b@example.com", "c@example.com", "e@example.com"]
    assert [one["CustomFields"][0]["Value"] for one in planned.subscribers] == ['"x""', '5" x', "Cork"]
    assert planned.reasons == [(1, "malformed_columns"), (4, "control_character")]
    assert planned.account.rows_read == 5
