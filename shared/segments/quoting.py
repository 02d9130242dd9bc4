"""What is a cell and what is a quote, in CSV with a given delimiter (RFC 4180, and what is bearable beyond it)."""

import re
from enum import Enum, auto

QUOTE = b'"'


class Quotes(Enum):
    """How they stand at the end of a line: CLOSED ends the record, OPEN does not, BROKEN do not pair at all."""

    CLOSED = auto()
    OPEN = auto()
    BROKEN = auto()


class Grammar:
    """Strictly, quotes enclose a whole cell and those within are doubled. Beyond that, quotes in a cell that does not
    begin with one are letters like others (``Pipe 5"``)."""

    def __init__(self, delimiter: str) -> None:
        self.delimiter = delimiter.encode()
        self._d = d = re.escape(self.delimiter)
        self._inside = inside = rb'[^"]*+(?:""[^"]*+)*+'
        cell = rb'(?:"%b"|(?:[^"%b][^%b]*+)?)' % (inside, d, d)
        self._closed = re.compile(rb"(?:%b%b)*+%b" % (cell, d, cell))
        self._open = re.compile(rb'(?:%b%b)*+"%b' % (cell, d, inside))
        self._cell = re.compile(rb"(?<![^%b])%b" % (d, cell))

    def row(self, columns: int) -> re.Pattern[bytes]:
        """What a whole line, or a record over several, matches whose cells are so many, and strictly written."""
        cell = rb'(?:"%b"|[^"%b]*+)' % (self._inside, self._d)
        return re.compile(rb"%b(?:%b%b){%d}" % (cell, self._d, cell, columns - 1))

    def quoted_row(self, columns: int) -> re.Pattern[bytes]:
        """The same where every cell is quoted, and no quote stands in one: looked for in a quarter of the time."""
        return re.compile(rb'"[^"]*+"(?:%b"[^"]*+"){%d}' % (self._d, columns - 1))

    def quotes(self, line: bytes, before: Quotes) -> Quotes:
        """At the end of a line that begins inside (OPEN) or outside (CLOSED) a quoted cell."""
        if QUOTE not in line:
            return before
        text = QUOTE + line if before is Quotes.OPEN else line
        if self._open.fullmatch(text):
            return Quotes.OPEN
        return Quotes.CLOSED if self._closed.fullmatch(text) else Quotes.BROKEN

    def cells(self, record: bytes) -> list[bytes]:
        """Of a record whose quotes are closed."""
        if QUOTE not in record:
            return record.split(self.delimiter)
        found: list[bytes] = self._cell.findall(record)
        return [cell[1:-1].replace(b'""', QUOTE) if cell.startswith(QUOTE) else cell for cell in found]

    def cells_of_open(self, line: bytes) -> list[bytes]:
        """Of a line whose last quote has opened a cell, as if that quote were not there."""
        *before, opened = self.cells(line + QUOTE)
        return [*before, *opened.split(self.delimiter)]

    def written(self, cells: list[bytes]) -> bytes:
        """A record of these cells, strictly."""
        return self.delimiter.join([b'"%b"' % cell.replace(QUOTE, b'""') for cell in cells])
