"""Records are cut where a careful reader would cut them, wherever the bytes are cut; a bad row costs itself alone."""

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from reading import plan, sizes

from shared.errors import SegmentError
from shared.segments.csv_records import LONGEST_RECORD, MOST_LINES_OF_A_RECORD, Dialect, blocks

COMMA = Dialect()
# What makes CSV difficult, and a little of what does not.
PIECES = st.sampled_from(
    ['"', '""', '"""', ",", ",,", "\n", "\r\n", "\r", " ", "a", "b c", 'd"', '"e"', "ž", ';"', "1"]
)
TEXTS = st.lists(PIECES, max_size=40).map("".join)
CELLS = st.text(st.sampled_from('ab ž",\n;'), max_size=6)


def cut(
    text: str | bytes,
    columns: int | None = 3,
    *,
    dialect: Dialect = COMMA,
    chunk: int = 1 << 20,
    block_bytes: int = 1 << 20,
) -> tuple[list[tuple[int, list[str]]], list[int]]:
    """Lines and cells of the records; the lines of the broken ones."""
    data = text.encode() if isinstance(text, str) else text
    found = list(blocks(sizes(data, chunk), dialect, "here", columns=columns, block_bytes=block_bytes))
    records = [(line, dialect.cells(record)) for block in found for line, record in block.records]
    return records, [line for block in found for line in block.broken]


CASES = {
    "LF": ("a,b,c\nd,e,f\n", {1: "a|b|c", 2: "d|e|f"}, []),
    "CRLF": ("a,b,c\r\nd,e,f\r\n", {1: "a|b|c", 2: "d|e|f"}, []),
    "mixed": ("a,b,c\nd,e,f\r\ng,h,i\n", {1: "a|b|c", 2: "d|e|f", 3: "g|h|i"}, []),
    "byte order mark": ("\ufeffa,b,c\n", {1: "a|b|c"}, []),
    "only a byte order mark": ("\ufeff", {}, []),
    "nothing": ("", {}, []),
    "no line break at the end": ("a,b,c\nd,e,f", {1: "a|b|c", 2: "d|e|f"}, []),
    "half a line break at the end": ("a,b,c\r\nd,e,f\r", {1: "a|b|c", 2: "d|e|f"}, []),
    "blank lines": ("\n\na,b,c\n\r\n\nd,e,f\n\n", {3: "a|b|c", 6: "d|e|f"}, []),
    "line break in a cell": ('a,"b\nB\n\nb",c\nd,e,f\n', {1: "a|b\nB\n\nb|c", 5: "d|e|f"}, []),
    "CRLF in a cell": ('a,"b\r\nB",c\r\nd,e,f\r\n', {1: "a|b\nB|c", 3: "d|e|f"}, []),
    "two such cells": ('a,"b\nb","c\nc"\nd,e,f\n', {1: "a|b\nb|c\nc", 4: "d|e|f"}, []),
    "quotes in quotes": ('"a ""b""",""",",""""\n', {1: 'a "b"|",|"'}, []),
    "delimiters in quotes": ('"a,a",",",b\n', {1: "a,a|,|b"}, []),
    "empty cells": (',"",\n"","",""\n', {1: "||", 2: "||"}, []),
    "a quote in a cell without": (
        '5",b 6" c,d\n5" x,7",e\nf,g,h\n',
        {1: '5"|b 6" c|d', 2: '5" x|7"|e', 3: "f|g|h"},
        [],
    ),
    "space before a quote": ('a, "b",c\nd,e,f\n', {1: 'a| "b"|c', 2: "d|e|f"}, []),
    "lone carriage return": ("a,b\rB,c\nd,e,f\n", {1: "a|b\vB|c", 2: "d|e|f"}, []),
    "text after a quote": ('a,"b"B,c\nd,e,f\n', {2: "d|e|f"}, [1]),
    "space after a quote": ('a,"b" ,c\nd,e,f\n', {2: "d|e|f"}, [1]),
    "never closed": ('a,"b,c\nd,e,f\ng,h,i\n', {2: "d|e|f", 3: "g|h|i"}, [1]),
    "never closed, quotes after it": ('a,"b,c\nd,"e",f\ng,h,i\n', {2: "d|e|f", 3: "g|h|i"}, [1]),
    "never closed, all quoted": ('"a","b,c\n"d","e","f"\n', {2: "d|e|f"}, [1]),
    "never closed, empty cells after it": ('"a","b,c\n"","",""\n"d","e","f"\n', {2: "||", 3: "d|e|f"}, [1]),
    "never closed, in the last line": ('a,b,c\nd,"e,f', {1: "a|b|c"}, [2]),
    "opened after a stray quote": ('5" x,"a,b\nd,e,f\ng,"h",i\nj,k,l\n', {2: "d|e|f", 3: "g|h|i", 4: "j|k|l"}, [1]),
    "opened, and closed by a stray quote": (
        'a,"b,c\nd,e,f\ng,h,5"\nj,k,l\n',
        {2: "d|e|f", 3: 'g|h|5"', 4: "j|k|l"},
        [1],
    ),
    "broken in its second line": ('a,"b\nB"B,c\nd,e,f\n', {2: 'B"B|c', 3: "d|e|f"}, [1]),
    "too few cells over two lines": ('a,"b\nB"\nd,e,f\n', {1: "a|b\nB", 3: "d|e|f"}, []),
}


@pytest.mark.parametrize(("text", "records", "broken"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1 << 20])
def test_records_and_their_lines(text: str, records: dict[int, str], broken: list[int], size: int) -> None:
    found, unread = cut(text, chunk=size, block_bytes=size)

    assert {line: "|".join(cells) for line, cells in found} == records
    assert unread == broken


@given(text=TEXTS, chunk=st.integers(1, 9), block=st.integers(1, 40), columns=st.sampled_from([None, 1, 2, 3]))
@example(text='"\n",\n"a', chunk=1, block=1, columns=2)
def test_where_the_bytes_are_cut_changes_nothing(text: str, chunk: int, block: int, columns: int | None) -> None:
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

    assert cut(text.getvalue()) == (expected, [])


@given(before=st.lists(PIECES, max_size=12).map("".join), rows=st.integers(1, 5))
def test_bad_rows_never_swallow_a_good_one_behind_them(before: str, rows: int) -> None:
    """In quotes throughout, as Customer Insights may write it, a row ends what went wrong before it."""
    good = '"g","h","i"\n' * rows

    found, _ = cut(f"{before}\n{good}")

    lines = before.replace("\r\n", "\n").count("\n") + 1
    assert [(lines + number, ["g", "h", "i"]) for number in range(1, rows + 1)] == found[-rows:]


def test_the_first_record_says_how_many_cells_a_row_has() -> None:
    text = 'a,"b\nB",c\nd,"e,f\ng,h,5"\n'

    assert cut(text, None) == cut(text, 3)
    assert cut(text, None)[1] == [3]


def test_a_cell_is_not_closed_after_a_thousand_lines() -> None:
    lines = ["x"] * MOST_LINES_OF_A_RECORD

    assert cut('a,b,"' + "\n".join(lines) + '"\n')[1] == []
    assert cut('a,b,"' + "\n".join([*lines, "x"]) + '"\n')[1] == [1]


def test_without_quoting_quotes_are_letters() -> None:
    dialect = Dialect(quoted=False)

    assert cut('a,"b,c"\n"d,e,f\n', dialect=dialect) == ([(1, ["a", '"b', 'c"']), (2, ['"d', "e", "f"])], [])


@pytest.mark.parametrize("size", [1000, 100_000, 10_000_000])
def test_a_line_that_is_too_long_is_named(size: int) -> None:
    text = "a,b,c\n" * 5 + "x" * (LONGEST_RECORD + 1) + "\n" + "d" * (LONGEST_RECORD + 2) + "\n"

    with pytest.raises(SegmentError, match=r"here: line 6 is longer than 1,048,576 bytes") as raised:
        cut(text, chunk=size, block_bytes=size)

    assert raised.value.code == "line_too_long"


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
