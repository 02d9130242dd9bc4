"""DuckDB reads the same cells in strict CSV as we do, and no further: every text up to a length."""

from itertools import product

import pytest

from shared.plan.block_reader import reader
from shared.record.duckdb_workspace import workspace
from shared.segments.csv_layout import Dialect
from shared.segments.quoting import Grammar, Quotes

WIDEST = 3


def _texts(letters: str, length: int) -> list[bytes]:
    """All that are strictly one record."""
    grammar = Grammar(",")
    found = []
    for text in ("".join(each).encode() for each in product(letters, repeat=length)):
        quotes = Quotes.CLOSED
        *before, last = text.split(b"\n")
        for line in before:
            quotes = grammar.quotes(line, quotes)
            if quotes is not Quotes.OPEN:
                break
        else:
            if grammar.quotes(last, quotes) is Quotes.CLOSED and _is_strict(grammar, text):
                found.append(text)
    return found


def _is_strict(grammar: Grammar, text: bytes) -> bool:
    return any(grammar.row(columns).fullmatch(text) for columns in range(1, len(text) + 2))


@pytest.mark.parametrize(
    ("letters", "length", "least"), [('", a\n', 5, 300), ('",a\n', 6, 300), ('", ', 7, 100)], ids=repr
)
def test_strict_text_is_read_alike(letters: str, length: int, least: int) -> None:
    texts = _texts(letters, length)
    expected = {2 * at: Grammar(",").cells(text) for at, text in enumerate(texts)}
    file_text = b"".join(b"%d,%b\n%d,s,s\n" % (2 * at, text, 2 * at + 1) for at, text in enumerate(texts))
    with workspace() as work:
        file = work.folder / "texts.csv"
        file.write_bytes(file_text)
        for width in range(1, WIDEST + 1):
            rows = work.connection.execute(f"FROM {reader(file, width, Dialect())}").fetchall()
            found = {line: list(cells) for line, *cells in rows}
            for line, cells in expected.items():
                if len(cells) == width:
                    assert found[line] == [cell.decode() or None for cell in cells], texts[line // 2]
            if width == 2:
                assert all(found[2 * at + 1] == ["s", "s"] for at in range(len(texts)))
    assert len(texts) > least


def test_a_line_that_is_strict_is_closed() -> None:
    """And the other way round, where no cell without quotes holds one."""
    grammar = Grammar(",")
    for length in range(1, 10):
        for text in ("".join(each).encode() for each in product('",a', repeat=length)):
            if _is_strict(grammar, text):
                assert grammar.row(len(grammar.cells(text))).fullmatch(text)
                assert grammar.quotes(text, Quotes.CLOSED) is Quotes.CLOSED, text
            elif grammar.quotes(text, Quotes.CLOSED) is Quotes.CLOSED:
                assert any(b'"' in cell and b"a" in cell for cell in text.split(b",")), text


@pytest.mark.parametrize(("letters", "length"), [('", a', 6), ('",a', 8)], ids=repr)
def test_lines_without_numbers_are_read_alike_and_in_their_order(letters: str, length: int) -> None:
    texts = [text for size in range(1, length + 1) for text in _texts(letters, size)]
    with workspace() as work:
        for width in range(1, WIDEST + 1):
            fitting = [text for text in texts if len(Grammar(",").cells(text)) == width]
            file = work.folder / "texts.csv"
            file.write_bytes(b"".join(text + b"\n" for text in fitting))
            rows = work.connection.execute(f"FROM {reader(file, width, Dialect(), first_line=7)}").fetchall()
            for (line, *cells), (at, text) in zip(rows, enumerate(fitting, 7), strict=True):
                assert (line, cells) == (at, [cell.decode() or None for cell in Grammar(",").cells(text)])
            assert len(fitting) > 50
