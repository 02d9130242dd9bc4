"""CSV text, cut into records that carry the number of their line.

DuckDB reads the cells; here it is decided where a record begins and ends and how many cells it has, so that every
record is counted before it is read, a broken one cannot swallow its neighbours, and a reject can name its line. What is
given to DuckDB is strictly RFC 4180 and has as many cells as there are columns: any other text DuckDB reads in ways of
its own, over the end of the row if need be, or passes over without a word. A partition is cut into blocks, so that its
size does not matter.
"""

from collections.abc import Callable, Iterable, Iterator

from shared.segments.csv_layout import Block, Dialect, Layout
from shared.segments.encodings import utf8
from shared.segments.lines import lines
from shared.segments.quoting import Quotes
from shared.segments.record_cutter import MOST_LINES_OF_A_RECORD, TOO_LONG, Cutter

BLOCK_BYTES = 16 * 1024 * 1024
BLOCK_ROWS = 200_000

_MOST_HELD = 32 * 1024 * 1024  # of lines that may belong to one record
_LOOKED_AT = 100  # rows, for whether a delimiter ends each


def blocks(
    read: Callable[[], Iterable[bytes]],
    dialect: Dialect,
    where: str,
    layout: Callable[[list[str] | None], Layout],
    *,
    gzipped: bool = False,
    block_bytes: int = BLOCK_BYTES,
) -> Iterator[Block]:
    """Blocks of about ``block_bytes``; blank lines are no records. ``read`` gives the bytes of the partition, each time
    from its beginning: it is called again where a quote was opened and nothing closes it for long. ``layout`` is asked
    once, with the cells of the first record; None where its quotes do not pair.

    Raises SegmentError, with ``where`` in it, when the bytes are not what they should be: not gzip, not in the
    encoding; and what ``layout`` raises.
    """
    partition = _Partition(dialect, layout, block_bytes)
    while True:
        try:
            text = utf8(read(), dialect.encoding, where, gzipped=gzipped)
            yield from partition.cut(lines(_pieces(text, block_bytes), dialect.grammar.delimiter))
        except _NeverClosed:
            continue
        return


class _NeverClosed(Exception):
    """The record that was looked for the end of has none: what was passed over must be read again."""


class _Partition:
    """What was learnt of a partition, also by a reading that was broken off."""

    def __init__(self, dialect: Dialect, layout: Callable[[list[str] | None], Layout], block_bytes: int) -> None:
        self._dialect = dialect
        self._grammar = dialect.grammar
        self._ask = layout
        self._held_most = max(_MOST_HELD, 2 * block_bytes)
        self._cutter: Cutter | None = None
        self._open_for_nothing: list[range] = []  # lines: a cell that is open where one begins is never closed
        self._next = 1  # the line after the last block that was given

    def cut(self, pieces: Iterable[list[bytes]]) -> Iterator[Block]:
        number, held = 1, list[bytes]()
        rest = iter(pieces)
        for piece in rest:
            known = min(max(0, self._next - number), len(piece))  # from the reading before
            number += known
            held += piece[known:]
            if not held:
                continue
            if self._cutter is None and not self._has_begun(held, at_end=False):
                continue
            block, taken = self._cut(held, number, at_end=False)
            held = held[taken:]
            number += taken
            self._next = number
            yield block
            if sum(map(len, held)) + 50 * len(held) > self._held_most:
                block, held, number = self._pass_over(held, rest, number)
                self._next = number
                yield block
        if held:
            if self._cutter is None:
                self._has_begun(held, at_end=True)
            if self._cutter is not None:
                yield self._cut(held, number, at_end=True)[0]

    def _cut(self, held: list[bytes], number: int, *, at_end: bool) -> tuple[Block, int]:
        assert self._cutter
        return self._cutter.cut(held, number, self._open_for_nothing, at_end=at_end)

    def _pass_over(self, held: list[bytes], rest: Iterator[list[bytes]], number: int) -> tuple[Block, list[bytes], int]:
        """The record that begins in line ``number``, and goes on behind the lines ``held``, as one spoilt row; and what
        comes behind it. Raises _NeverClosed."""
        at = number + len(held)
        del held[:]
        for piece in rest:
            for position, line in enumerate(piece):
                how = self._grammar.quotes(line, Quotes.OPEN)
                if how is Quotes.OPEN:
                    continue
                end = at + position + 1
                if how is Quotes.BROKEN:
                    self._open_for_nothing.append(range(number + 1, end))
                    raise _NeverClosed
                return Block([], {number: TOO_LONG}), piece[position + 1 :], end
            at += len(piece)
        self._open_for_nothing.append(range(number + 1, at + 1))
        raise _NeverClosed

    def _has_begun(self, held: list[bytes], *, at_end: bool) -> bool:
        """Whether enough is there to know the layout; then there is a cutter."""
        begin = next((at for at, line in enumerate(held) if line), None)
        if begin is None:
            return False
        first, end = self._first(held, begin)
        if not at_end and len(held) < (end + _LOOKED_AT if first else begin + MOST_LINES_OF_A_RECORD):
            return False
        layout = self._ask(None if first is None else [cell.decode("utf-8", "replace") for cell in first])
        cutter = Cutter(self._dialect, layout)
        following = held[end : end + _LOOKED_AT] if layout.header else held[begin : begin + _LOOKED_AT]
        if first is not None and len(first) == layout.columns + 1 and not first[-1]:
            cutter.allow_delimiter_at_the_end(following)
        if layout.header:
            held[begin:end] = [b""] * (end - begin)
        self._cutter = cutter
        return True

    def _first(self, held: list[bytes], begin: int) -> tuple[list[bytes] | None, int]:
        """The cells of the first record, and where it ends."""
        if not self._dialect.quoted:
            return held[begin].split(self._grammar.delimiter), begin + 1
        how = Quotes.CLOSED
        for end in range(begin, min(len(held), begin + MOST_LINES_OF_A_RECORD)):
            how = self._grammar.quotes(held[end], how)
            if how is Quotes.CLOSED:
                return self._grammar.cells(b"\n".join(held[begin : end + 1])), end + 1
            if how is Quotes.BROKEN:
                break
        return None, begin + 1


def _pieces(chunks: Iterable[bytes], block_bytes: int) -> Iterator[bytes]:
    """Of about so many bytes, and of not too many lines."""
    held: list[bytes] = []
    size = 0
    for chunk in chunks:
        held.append(chunk)
        size += len(chunk)
        if size >= block_bytes or sum(one.count(b"\n") for one in held) >= BLOCK_ROWS:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)
