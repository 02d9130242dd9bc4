"""What is a cell and what is a quote, in CSV with a given delimiter (RFC 4180, and what is bearable beyond it)."""

import re
from enum import Enum, auto

_QUOTE = b'"'


class Quotes(Enum):
    """How they stand at the end of a line: CLOSED ends the record, OPEN does not, BROKEN do not pair at all."""

    CLOSED = auto()
    OPEN = auto()
    BROKEN = auto()


class Grammar:
    """Strictly, quotes enclose a whole cell and those within are doubled. Beyond that, quotes in a cell that does not
    begin with one are letters like others (``Pipe 5"``)."""

    def __init__(self, delimiter: str) -> None:
        self._delimiter = delimiter.encode()
        d = re.escape(self._delimiter)
        inside = rb'[^"]*+(?:""[^"]*+)*+'
        cell = rb'(?:"%b"|(?:[^"%b][^%b]*+)?)' % (inside, d, d)
        self._plain = re.compile(rb'"[^"]*+"(?:%b"[^"]*+")*+' % d)
        self._strict = re.compile(rb'[^"]*+(?:(?<![^%b])"%b"(?![^%b])[^"]*+)*+' % (d, inside, d))
        self._closed = re.compile(rb"(?:%b%b)*+%b" % (cell, d, cell))
        self._open = re.compile(rb'(?:%b%b)*+"%b' % (cell, d, inside))
        self._cell = re.compile(rb"(?<![^%b])%b" % (d, cell))

    def strict(self, text: bytes) -> bool:
        """Whether every quote of a line, or of a record over several lines, is where it may strictly be."""
        return self._strict.fullmatch(text) is not None

    def doubtful(self, lines: list[bytes]) -> list[int]:
        """The positions of the lines that are not ``strict``."""
        # Where every cell is quoted, as in most files with quotes, the simpler pattern takes a quarter of the time.
        plain, strict = self._plain.fullmatch, self._strict.fullmatch
        return [at for at, text in enumerate(lines) if not plain(text) and _QUOTE in text and not strict(text)]

    def quotes(self, line: bytes, before: Quotes) -> Quotes:
        """At the end of a line that begins inside (OPEN) or outside (CLOSED) a quoted cell."""
        text = _QUOTE + line if before is Quotes.OPEN else line
        if self._open.fullmatch(text):
            return Quotes.OPEN
        return Quotes.CLOSED if self._closed.fullmatch(text) else Quotes.BROKEN

    def cells(self, record: bytes) -> list[bytes]:
        """Of a record whose quotes are closed."""
        found: list[bytes] = self._cell.findall(record)
        return [cell[1:-1].replace(b'""', _QUOTE) if cell.startswith(_QUOTE) else cell for cell in found]

    def rewritten(self, record: bytes) -> bytes:
        """The same cells, strictly."""
        return self._delimiter.join([b'"%b"' % cell.replace(_QUOTE, b'""') for cell in self.cells(record)])

    def is_row(self, line: bytes, columns: int) -> bool:
        """Whether a line by itself has as many cells as there are columns."""
        return (
            line.count(self._delimiter) >= columns - 1  # cheap, and mostly enough to say no
            and self.quotes(line, Quotes.CLOSED) is Quotes.CLOSED
            and len(self.cells(line)) == columns
        )
