"""The bytes of a partition as UTF-8: inflated, out of the encoding that model.json says, without a byte order mark."""

import codecs
import zlib
from collections.abc import Iterable, Iterator

from shared.errors import SegmentError

PIECE_BYTES = 16 * 1024 * 1024


def utf8(chunks: Iterable[bytes], encoding: str, where: str, *, gzipped: bool) -> Iterator[bytes]:
    """Raises SegmentError, with ``where`` in it. Of text that should be UTF-8 only the beginning is checked: a row that
    is not shows when it is read."""
    plain = _inflated(chunks, where) if gzipped else chunks
    if codecs.lookup(encoding).name not in ("utf-8", "utf-8-sig"):
        plain = _decoded(plain, encoding, where)
    begin = b""
    rest = iter(plain)
    for piece in rest:
        begin += piece
        if len(begin) >= len(codecs.BOM_UTF8):
            break
    if begin.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise _wrong_encoding(encoding, where)
    yield begin.removeprefix(codecs.BOM_UTF8)
    yield from rest


def is_text(encoding: str) -> bool:
    """Whether there is such an encoding of text."""
    try:
        "".encode(encoding)
    except (LookupError, ValueError):
        return False
    return True


def _decoded(chunks: Iterable[bytes], encoding: str, where: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for chunk in chunks:
            yield decoder.decode(chunk).encode()
        yield decoder.decode(b"", final=True).encode()
    except UnicodeError as error:
        raise _wrong_encoding(encoding, where) from error


def _wrong_encoding(encoding: str, where: str) -> SegmentError:
    return SegmentError(
        "wrong_encoding",
        f"{where} is not written in {encoding}, as model.json says or, where it says nothing, as it should be.",
        "Correct the encoding in model.json, or export the segment again.",
    )


def _inflated(chunks: Iterable[bytes], where: str) -> Iterator[bytes]:
    """What was compressed with gzip, in pieces of bounded size; several members follow each other (RFC 1952)."""
    stream = zlib.decompressobj(wbits=31)
    try:
        for chunk in chunks:
            data = chunk
            while data:
                if stream.eof:
                    stream = zlib.decompressobj(wbits=31)
                yield stream.decompress(data, PIECE_BYTES)
                data = stream.unconsumed_tail or stream.unused_data
        while not stream.eof and (more := stream.decompress(b"", PIECE_BYTES)):
            yield more
        if not stream.eof:
            raise zlib.error("the end is missing")
    except zlib.error as error:
        raise SegmentError(
            "broken_gzip", f"{where} is not a whole gzip file ({error}).", "Export the segment again."
        ) from error
