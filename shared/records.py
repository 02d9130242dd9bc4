"""CSV bytes, cut into records that carry the number of their line.

DuckDB reads the cells; this module decides where a record begins and ends (RFC 4180: a quoted cell may hold line
breaks), so that every record is counted before it is read, a broken one cannot swallow its neighbours, and a reject
can name its line. A partition is cut into blocks, so that its size does not matter.
"""

import codecs
import csv
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

from shared.errors import SegmentError

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


@dataclass(frozen=True)
class Block:
    """Records in their order: the 1-based physical line where each begins, and its bytes (UTF-8, without the break
    at its end). ``broken`` are the lines whose quotes do not pair: rows too, but not to be read."""

    records: list[tuple[int, bytes]]
    broken: list[int]

    def numbered(self, delimiter: str) -> bytes:
        """The records as CSV, with the number of the line as a first cell."""
        form = b"%d" + delimiter.encode() + b"%b\n"
        return b"".join([form % record for record in self.records])


class _Quotes(Enum):
    CLOSED = auto()
    OPEN = auto()
    BROKEN = auto()


def blocks(
    chunks: Iterable[bytes], dialect: Dialect, where: str, *, gzipped: bool = False, block_bytes: int = BLOCK_BYTES
) -> Iterator[Block]:
    """Blocks of about ``block_bytes``; blank lines are no records.

    Raises SegmentError, with ``where`` in it, when the bytes are not what they should be: not gzip, not in the
    encoding, a line longer than LONGEST_RECORD.
    """
    text = _utf8(_inflated(chunks, where) if gzipped else chunks, dialect.encoding, where)
    line, rest = 1, b""
    for piece in _pieces(text, block_bytes):
        data = rest + piece if rest else piece
        end = data.rfind(b"\n") + 1
        lines = _lines(data[:end])
        block, taken = _cut(lines, line, dialect, at_end=False)
        # What is not taken is the beginning of a record that goes on in the next piece.
        rest = b"".join([text + b"\n" for text in lines[taken:]]) + data[end:]
        if len(rest) > 2 * LONGEST_RECORD:
            raise SegmentError(
                "line_too_long",
                f"{where}: what begins in line {line + taken} is longer than {LONGEST_RECORD:,} bytes.",
                "Check that the file is the CSV that Customer Insights wrote, with the delimiter that model.json says.",
            )
        line += taken
        yield block
    if rest:
        yield _cut(_lines(rest if rest.endswith(b"\n") else rest + b"\n"), line, dialect, at_end=True)[0]


def cells(record: bytes, dialect: Dialect) -> list[str]:
    """The cells of one record."""
    text = record.decode("utf-8", "replace")
    if not dialect.quoted:
        return text.split(dialect.delimiter)
    return next(csv.reader([text], delimiter=dialect.delimiter), [])


def _cut(lines: list[bytes], first: int, dialect: Dialect, *, at_end: bool) -> tuple[Block, int]:
    """The records of ``lines`` (numbered from ``first``), and how many of the lines they took.

    Only a line with an odd number of quotes can leave a cell open; all the others are records by themselves.
    """
    records: list[tuple[int, bytes]] = []
    broken: list[int] = []
    delimiter = dialect.delimiter.encode()
    taken = 0
    odd = [at for at, text in enumerate(lines) if text.count(_QUOTE) & 1] if dialect.quoted else []
    for at in odd:
        if at < taken:
            continue
        records += [record for record in enumerate(lines[taken:at], first + taken) if record[1]]
        end, quotes = _end_of_record(lines, at, delimiter)
        if quotes is _Quotes.OPEN and not at_end:
            return Block(records, broken), at
        if quotes is _Quotes.CLOSED:
            records.append((first + at, b"\n".join(lines[at:end])))
            taken = end
        else:
            broken.append(first + at)
            taken = at + 1
    records += [record for record in enumerate(lines[taken:], first + taken) if record[1]]
    return Block(records, broken), len(lines)


def _end_of_record(lines: list[bytes], begin: int, delimiter: bytes) -> tuple[int, _Quotes]:
    """Where the record that begins in line ``begin`` ends (exclusive), and how."""
    quotes, size, at = _Quotes.CLOSED, 0, begin
    while at < len(lines):
        size += len(lines[at])
        if size > LONGEST_RECORD or at - begin >= MOST_LINES_OF_A_RECORD:
            return at, _Quotes.BROKEN
        quotes = _quotes(lines[at], delimiter, quotes)
        at += 1
        if quotes is not _Quotes.OPEN:
            break
    return at, quotes


def _quotes(text: bytes, delimiter: bytes, before: _Quotes) -> _Quotes:
    """How the quotes stand at the end of a line that begins inside (OPEN) or outside (CLOSED) a quoted cell."""
    at, is_open = 0, before is _Quotes.OPEN
    while True:
        if is_open:
            at = text.find(_QUOTE, at) + 1
            if at == 0:
                return _Quotes.OPEN
            if text.startswith(_QUOTE, at):
                at += 1
                continue
            if at == len(text):
                return _Quotes.CLOSED
            if not text.startswith(delimiter, at):
                return _Quotes.BROKEN
            is_open = False
            at += len(delimiter)
        elif text.startswith(_QUOTE, at):
            is_open = True
            at += 1
        else:
            at = text.find(delimiter, at) + len(delimiter)
            if at < len(delimiter):
                return _Quotes.CLOSED


def _lines(data: bytes) -> list[bytes]:
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    lines = data.split(b"\n")
    lines.pop()
    return lines


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


def _utf8(chunks: Iterable[bytes], encoding: str, where: str) -> Iterator[bytes]:
    """The same text as UTF-8 without a byte order mark."""
    name = codecs.lookup(encoding).name
    if name in ("utf-8", "utf-8-sig"):
        yield from _without_mark(chunks)
        return
    decoder = codecs.getincrementaldecoder(name)()
    try:
        for chunk in chunks:
            yield decoder.decode(chunk).encode()
        yield decoder.decode(b"", final=True).encode()
    except UnicodeDecodeError as error:
        raise SegmentError(
            "wrong_encoding",
            f"{where} is not written in {encoding}, as model.json says.",
            "Correct the encoding in model.json, or export the segment again.",
        ) from error


def _without_mark(chunks: Iterable[bytes]) -> Iterator[bytes]:
    begin = b""
    rest = iter(chunks)
    for chunk in rest:
        begin += chunk
        if len(begin) >= len(codecs.BOM_UTF8):
            break
    yield begin.removeprefix(codecs.BOM_UTF8)
    yield from rest


def _inflated(chunks: Iterable[bytes], where: str) -> Iterator[bytes]:
    """What was compressed with gzip, in pieces of bounded size; several members follow each other (RFC 1952)."""
    stream = zlib.decompressobj(wbits=31)
    try:
        for chunk in chunks:
            data = chunk
            while data:
                if stream.eof:
                    stream = zlib.decompressobj(wbits=31)
                yield stream.decompress(data, BLOCK_BYTES)
                data = stream.unconsumed_tail or stream.unused_data
        while not stream.eof and (more := stream.decompress(b"", BLOCK_BYTES)):
            yield more
        if not stream.eof:
            raise zlib.error("the end is missing")
    except zlib.error as error:
        raise SegmentError(
            "broken_gzip", f"{where} is not a whole gzip file ({error}).", "Export the segment again."
        ) from error
