"""CSV text, cut into records that carry the number of their line.

DuckDB reads the cells; this module decides where a record begins and ends, so that every record is counted before it is
read, a broken one cannot swallow its neighbours, and a reject can name its line. What it gives to DuckDB is strictly
RFC 4180: any other text DuckDB reads in ways of its own, over the end of the row if need be. A partition is cut into
blocks, so that its size does not matter.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest

from shared.errors import SegmentError
from shared.segments.encodings import utf8
from shared.segments.quoting import Grammar, Quotes

BLOCK_BYTES = 16 * 1024 * 1024
LONGEST_RECORD = 1024 * 1024
MOST_LINES_OF_A_RECORD = 1000

_QUOTE = b'"'


@dataclass(frozen=True)
class Dialect:
    """How cells are written: the character between them, whether quotes may enclose them, and the encoding."""

    delimiter: str = ","
    quoted: bool = True
    encoding: str = "utf-8"

    @cached_property
    def grammar(self) -> Grammar:
        return Grammar(self.delimiter)

    def cells(self, record: bytes) -> list[str]:
        """Of a record of a block."""
        found = self.grammar.cells(record) if self.quoted else record.split(self.delimiter.encode())
        return [cell.decode("utf-8", "replace") for cell in found]


@dataclass(frozen=True)
class Block:
    """Records in their order: the 1-based physical line where each begins, and its bytes (UTF-8, strictly RFC 4180,
    without the break at its end). ``broken`` are the lines whose quotes do not pair: rows too, but not to be read.
    ``text`` is all of the block as one piece, where every line of it is a record."""

    records: list[tuple[int, bytes]]
    broken: list[int]
    text: bytes | None = None

    @property
    def rows(self) -> int:
        return len(self.records) + len(self.broken)

    def without_first(self) -> "Block":
        """Without its first record."""
        text = self.text[len(self.records[0][1]) + 1 :] if self.text is not None else None
        return Block(self.records[1:], self.broken, text)

    def numbered(self, delimiter: str) -> bytes:
        """The records as CSV, with the number of the line as a first cell."""
        form = b"%d" + delimiter.encode() + b"%b\n"
        return b"".join([form % record for record in self.records])


def blocks(
    chunks: Iterable[bytes],
    dialect: Dialect,
    where: str,
    *,
    columns: int | None = None,
    gzipped: bool = False,
    block_bytes: int = BLOCK_BYTES,
) -> Iterator[Block]:
    """Blocks of about ``block_bytes``; blank lines are no records. ``columns`` is how many cells a row should have;
    None: as many as the first.

    Raises SegmentError, with ``where`` in it, when the bytes are not what they should be: not gzip, not in the
    encoding, a line longer than LONGEST_RECORD.
    """
    cutter = _Cutter(dialect, columns)
    number, rest = 1, b""
    for piece in _pieces(utf8(chunks, dialect.encoding, where, gzipped=gzipped), block_bytes):
        data = rest + piece if rest else piece
        end = data.rfind(b"\n") + 1
        text = _with_line_feeds(data[:end])
        lines = text.split(b"\n")[:-1]
        _check_lengths([*lines, data[end:]], number, where)
        block, taken = cutter.cut(text, lines, number, at_end=False)
        # What is not taken is the beginning of a record that goes on in the next piece.
        rest = b"".join([text + b"\n" for text in lines[taken:]]) + data[end:]
        number += taken
        yield block
    if rest:
        # A carriage return at the very end is half of a line break.
        text = _with_line_feeds(rest.removesuffix(b"\n").removesuffix(b"\r") + b"\n")
        yield cutter.cut(text, text.split(b"\n")[:-1], number, at_end=True)[0]


class _Cutter:
    """Most lines are records by themselves; those whose quotes say otherwise are looked at one by one."""

    def __init__(self, dialect: Dialect, columns: int | None) -> None:
        self._grammar = dialect.grammar
        self._quoted = dialect.quoted
        self._columns = columns

    def cut(self, text: bytes, lines: list[bytes], number: int, *, at_end: bool) -> tuple[Block, int]:
        """The records of ``text``, which consists of ``lines``, the first of which is line ``number``; and how many of
        the lines they took: all, unless the last record may go on behind them."""
        broken: list[int] = []
        taken, end = len(lines), 0
        doubtful = self._grammar.doubtful(lines) if self._quoted else []
        for at, following in zip_longest(doubtful, doubtful[1:]):
            if at < end:
                continue
            end, quotes, record = self._record(lines, at, following)
            if quotes is Quotes.OPEN and not at_end:
                taken = at
                break
            if quotes is Quotes.CLOSED and not self._swallows_rows(lines, at, end):
                lines[at] = record
            else:
                broken.append(number + at)
                lines[at], end = b"", at + 1
            # Lines that belong to a record before them count no more than blank ones.
            lines[at + 1 : end] = [b""] * (end - at - 1)
        plain = not doubtful and all(lines)
        numbered = enumerate(lines[:taken], number)
        records = list(numbered) if plain else [record for record in numbered if record[1]]
        block = Block(records, broken, text if plain else None)
        if self._columns is None and block.records:
            self._columns = len(self._grammar.cells(block.records[0][1]))
        return block, taken

    def _record(self, lines: list[bytes], begin: int, following: int | None) -> tuple[int, Quotes, bytes]:
        """Where the record ends (exclusive) that begins in the doubtful line ``begin``, how, and, when it is closed,
        its text. ``following`` is the next doubtful line, where there is one."""
        if following and following - begin < MOST_LINES_OF_A_RECORD and _is_odd(lines[begin]):
            # Most often a line leaves a cell open and the next one with an odd number of quotes closes it.
            text = b"\n".join(lines[begin : following + 1])
            if len(text) <= LONGEST_RECORD and _is_odd(lines[following]) and self._grammar.strict(text):
                return following + 1, Quotes.CLOSED, text
        size, end, quotes = -1, begin, Quotes.CLOSED
        while end < len(lines):
            size += len(lines[end]) + 1
            if size > LONGEST_RECORD or end - begin >= MOST_LINES_OF_A_RECORD:
                return end, Quotes.BROKEN, b""
            quotes = self._grammar.quotes(lines[end], quotes)
            end += 1
            if quotes is not Quotes.OPEN:
                break
        text = b"\n".join(lines[begin:end]) if quotes is Quotes.CLOSED else b""
        return end, quotes, text if self._grammar.strict(text) else self._grammar.rewritten(text)

    def _swallows_rows(self, lines: list[bytes], begin: int, end: int) -> bool:
        """Whether a record over several lines is rather one row for each: its first line has opened a cell by mistake,
        and a stray quote further down has closed it."""
        if end - begin == 1:
            return False
        first = next(text for text in lines if text)
        columns = self._columns or (len(self._grammar.cells(first)) if first is not lines[begin] else 0)
        return (
            any(self._grammar.is_row(line, columns) for line in lines[begin + 1 : end])
            and len(self._grammar.cells(b"\n".join(lines[begin:end]))) != columns
        )


def _is_odd(text: bytes) -> bool:
    return text.count(_QUOTE) & 1 == 1


def _with_line_feeds(data: bytes) -> bytes:
    """``data`` ends with a line break, LF or CRLF."""
    if b"\r" in data:
        # At a lone carriage return DuckDB ends the record, even where new_line says otherwise, or gives up. A vertical
        # tabulator stands for it, which in a value is as much of a control character.
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\v")
    return data


def _check_lengths(lines: list[bytes], number: int, where: str) -> None:
    if max(map(len, lines)) > LONGEST_RECORD:
        at = next(at for at, text in enumerate(lines, number) if len(text) > LONGEST_RECORD)
        raise SegmentError(
            "line_too_long",
            f"{where}: line {at} is longer than {LONGEST_RECORD:,} bytes.",
            "Check that the file is the CSV that Customer Insights wrote, with the encoding that model.json says.",
        )


def _pieces(chunks: Iterable[bytes], block_bytes: int) -> Iterator[bytes]:
    held: list[bytes] = []
    size = 0
    for chunk in chunks:
        held.append(chunk)
        size += len(chunk)
        if size >= block_bytes:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)
