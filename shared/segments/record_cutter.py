"""Where a record ends, and whether it is a row."""

import re

from shared.segments.csv_layout import Block, Dialect, Layout
from shared.segments.lines import LONGEST_LINE
from shared.segments.quoting import QUOTE, Grammar, Quotes

LONGEST_RECORD = LONGEST_LINE
MOST_LINES_OF_A_RECORD = 1000
COLUMNS, QUOTES, TOO_LONG = "malformed_columns", "malformed_quotes", "record_too_long"

_QUOTES_ALONE = "the first line alone"
_MOSTLY = 0.9  # of the lines inside of a cell: then they are rows, and the cell was opened by mistake
_FEW = 10
_ADDRESS = re.compile(rb"\s*[^@\s]+@[^@\s]+\.[^@\s]+\s*")


class Cutter:
    """Most lines are rows by themselves; the others are looked at one by one."""

    def __init__(self, dialect: Dialect, layout: Layout) -> None:
        self._grammar = dialect.grammar
        self._quoted = dialect.quoted
        self._columns = layout.columns
        self._email = layout.email
        self._row = self._grammar.row(layout.columns)
        self._quoted_row = self._grammar.quoted_row(layout.columns)
        self._may_end_with_delimiter = False

    def allow_delimiter_at_the_end(self, first: list[bytes]) -> None:
        """Where more than half of the first rows have one cell too many, which is empty."""
        rows = [line for line in first if line]
        ends = sum(self._is_one_too_many(self._cells(line)) for line in rows if self._is_closed(line))
        self._may_end_with_delimiter = 2 * ends > len(rows)

    def cut(self, held: list[bytes], number: int, hopeless: list[range], *, at_end: bool) -> tuple[Block, int]:
        """The records of the lines ``held``, the first of which is line ``number``; and how many of the lines they
        took: all, unless the last record may go on behind them. In lines that are ``hopeless`` no open cell ends."""
        spoilt: dict[int, str] = {}
        odd = self._odd(held)
        kept = held if not odd else [*held]
        taken, end = len(held), 0
        ends = _Ends(self._grammar, held, number, hopeless)
        for at in odd:
            if at < end or not held[at]:
                continue
            end = at + 1
            how = self._grammar.quotes(held[at], Quotes.CLOSED) if self._quoted else Quotes.CLOSED
            if how is Quotes.OPEN:
                stop, how = ends.of(end)
                if how is Quotes.OPEN and not at_end:
                    taken = at
                    break
                if how is Quotes.CLOSED:
                    found = self._over_lines(held[at:stop])
                    if found != _QUOTES_ALONE:
                        end = stop
                        kept[at:stop] = [b""] * (stop - at)
                else:
                    found = QUOTES
            elif how is Quotes.CLOSED:
                found = self._fitted(held[at])
            else:
                found = QUOTES
            kept[at] = b""
            if isinstance(found, bytes):
                kept[at] = found
            else:
                spoilt[number + at] = QUOTES if found == _QUOTES_ALONE else found
        return self._block(kept[:taken] if taken < len(kept) else kept, number, spoilt, plain=not odd), taken

    def _block(self, kept: list[bytes], number: int, spoilt: dict[int, str], *, plain: bool) -> Block:
        if plain and kept:
            return Block(list(enumerate(kept, number)), spoilt, b"\n".join(kept) + b"\n")
        return Block([record for record in enumerate(kept, number) if record[1]], spoilt)

    def _odd(self, held: list[bytes]) -> list[int]:
        """The positions of the lines that are no rows, strictly written, of exactly the columns."""
        delimiter, between = self._grammar.delimiter, self._columns - 1
        if not self._quoted:
            return [
                at
                for at, line in enumerate(held)
                if not line or line.count(delimiter) != between or len(line) > LONGEST_RECORD
            ]
        row, quoted = self._row.fullmatch, self._quoted_row.fullmatch
        return [
            at
            for at, line in enumerate(held)
            if not line
            or len(line) > LONGEST_RECORD
            or not (quoted(line) or row(line) if QUOTE in line else line.count(delimiter) == between)
        ]

    def _fitted(self, line: bytes) -> bytes | str:
        """A line that is a record by itself as it should have been written, or the reason why it is no row."""
        if len(line) > LONGEST_RECORD:
            return TOO_LONG
        if self._quoted and self._row.fullmatch(line):
            return line
        cells = self._cells(line)
        if self._may_end_with_delimiter and self._is_one_too_many(cells):
            cells = cells[:-1]
        if len(cells) != self._columns:
            return COLUMNS
        return self._grammar.written(cells) if self._quoted else self._grammar.delimiter.join(cells)

    def _over_lines(self, record: list[bytes]) -> bytes | str:
        """A record that is closed in its last line: as it should have been written, or why it is no row. Its first line
        may have opened a cell by mistake, which a stray quote further down has closed: then the lines are rows, and it
        is the first one alone that is spoilt (_QUOTES_ALONE); or nobody can tell (QUOTES)."""
        text = b"\n".join(record)
        if len(record) > MOST_LINES_OF_A_RECORD or len(text) > LONGEST_RECORD:
            return TOO_LONG
        first, *inner, last = record
        inner = [line for line in inner if line]
        rows = [line for line in inner if self._is_row(line)]
        opened = self._grammar.cells_of_open(first)
        opens_a_row = len(opened) == self._columns or (self._may_end_with_delimiter and self._is_one_too_many(opened))
        are_rows = self._is_row(last) and len(rows) >= (_MOSTLY * len(inner) if len(inner) >= _FEW else len(inner))
        if opens_a_row and are_rows:
            rows.append(last)
        has_addresses = any(self._has_address(self._cells(row)) for row in rows)
        if opens_a_row and are_rows and has_addresses:
            return _QUOTES_ALONE
        found = self._fitted(text)
        is_doubtful = isinstance(found, str) or has_addresses or (opens_a_row and self._has_address(opened))
        return QUOTES if rows and is_doubtful else found

    def _cells(self, record: bytes) -> list[bytes]:
        return self._grammar.cells(record) if self._quoted else record.split(self._grammar.delimiter)

    def _is_closed(self, line: bytes) -> bool:
        return not self._quoted or self._grammar.quotes(line, Quotes.CLOSED) is Quotes.CLOSED

    def _is_row(self, line: bytes) -> bool:
        enough = line.count(self._grammar.delimiter) >= self._columns - 1  # cheap, and mostly enough to say no
        return enough and self._is_closed(line) and not isinstance(self._fitted(line), str)

    def _has_address(self, cells: list[bytes]) -> bool:
        return any(map(_ADDRESS.fullmatch, cells if self._email is None else cells[self._email : self._email + 1]))

    def _is_one_too_many(self, cells: list[bytes]) -> bool:
        return len(cells) == self._columns + 1 and not cells[-1]


class _Ends:
    """Where a cell ends that is open where a line begins: found once for each line."""

    def __init__(self, grammar: Grammar, held: list[bytes], number: int, hopeless: list[range]) -> None:
        self._grammar = grammar
        self._held = held
        self._number = number
        self._hopeless = hopeless
        self._known: dict[int, tuple[int, Quotes]] = {}

    def of(self, begin: int) -> tuple[int, Quotes]:
        """The position behind the line that closes it, or breaks it; or OPEN at the end of all lines."""
        at, found = begin, (len(self._held), Quotes.OPEN)
        while at < len(self._held):
            if at in self._known:
                found = self._known[at]
                break
            how = self._grammar.quotes(self._held[at], Quotes.OPEN)
            if any(self._number + at in lines for lines in self._hopeless):
                how = Quotes.BROKEN
            if how is not Quotes.OPEN:
                found = (at + 1, how)
                break
            at += 1
        self._known |= dict.fromkeys(range(begin, min(at + 1, len(self._held))), found)
        return found
