"""The lines of a partition: what ends one, and none of more than a bearable length."""

from collections.abc import Iterable, Iterator
from itertools import chain

from shared.segments.encodings import begun
from shared.segments.quoting import QUOTE

LONGEST_LINE = 1024 * 1024
_LOOKED_AT = 1024 * 1024  # of the beginning, for what ends a line
_MOST_HELD = 2 * LONGEST_LINE


def lines(pieces: Iterable[bytes], delimiter: bytes) -> Iterator[list[bytes]]:
    """Lists of lines without their ends, one for each piece. LF and CRLF end a line; and CR alone does where it is
    more frequent at the beginning of the file than they are. Of a line of more than _MOST_HELD bytes there is another
    one, of more than LONGEST_LINE, that leaves a quoted cell open where that did."""
    begin, rest = begun(pieces, _LOOKED_AT)
    long: _Long | None = None
    partial = b""
    for piece in _with_line_feeds(begin, rest):
        *whole, last = piece.split(b"\n")
        if not whole:
            if long:
                long.add(last)
            elif len(partial) + len(last) > _MOST_HELD:
                long, partial = _Long(partial, last), b""
            else:
                partial += last
            continue
        if long:
            long.add(whole[0])
            whole[0], long = long.stand_in(delimiter), None
        elif partial:
            whole[0] = partial + whole[0]
        partial = last
        yield whole
    if long:
        yield [long.stand_in(delimiter)]
    elif partial:
        yield [partial]


class _Long:
    """A line that is too long to be held."""

    def __init__(self, *parts: bytes) -> None:
        self._quotes = sum(part.count(QUOTE) for part in parts)

    def add(self, part: bytes) -> None:
        self._quotes += part.count(QUOTE)

    def stand_in(self, delimiter: bytes) -> bytes:
        return b"x" * (LONGEST_LINE + 1) + (delimiter + QUOTE if self._quotes % 2 else b"")


def _with_line_feeds(begin: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    """Pieces in which each line ends with LF, and nothing else has a CR."""
    head = begin[:_LOOKED_AT]
    pairs = head.count(b"\r\n")
    lone = head.count(b"\r") - pairs
    # DuckDB ends a record at a lone CR, even where new_line says otherwise. A vertical tabulator stands for it, which
    # in a value is as much of a control character.
    stands_for = b"\n" if lone > head.count(b"\n") else b"\v"
    held = b""
    for piece in chain([begin], rest):
        data = held + piece
        held = b"\r" if data.endswith(b"\r") else b""
        if held:
            data = data[:-1]
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n").replace(b"\r", stands_for)
        yield data
    if held:
        yield b"\n"  # at the very end it is half of a line break
