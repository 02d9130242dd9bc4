"""The bytes of a partition as UTF-8: inflated, out of the encoding that model.json says, without a byte order mark."""

import codecs
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain

from shared.errors import SegmentError

PIECE_BYTES = 16 * 1024 * 1024

_LOOKED_AT = 4096  # bytes at the beginning
_HANDLER = "segments.bad_bytes"
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_GZIP = b"\x1f\x8b"
_NO_TEXT = {
    b"PAR1": "a Parquet file",
    b"Obj\x01": "an Avro file",
    b"PK\x03\x04": "a ZIP archive or a workbook",
}


def utf8(chunks: Iterable[bytes], encoding: str, where: str, *, gzipped: bool) -> Iterator[bytes]:
    """What is ``gzipped`` by its name must be; what is by its bytes is inflated, too. Raises SegmentError, with
    ``where`` in it, where the file is no text, or in another encoding altogether. A byte that is bad in its encoding
    stays, or comes to be one, bad in UTF-8: it costs the row that it is in, when that is read."""
    begin, rest = begun(chunks, _LOOKED_AT)
    if gzipped or begin.startswith(_GZIP):
        begin, rest = begun(_inflated(chain([begin], rest), where), _LOOKED_AT)
    if what := next((name for mark, name in _NO_TEXT.items() if begin.startswith(mark) and 0 in begin), None):
        raise SegmentError(
            "not_csv",
            f"{where} is {what}, and no CSV.",
            "Let Customer Insights export the segment as CSV: that is what its export to Blob Storage writes.",
        )
    is_utf8 = codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")
    if is_utf8 and (begin.startswith(_UTF16_MARKS) or begin[:_LOOKED_AT].count(0) > len(begin[:_LOOKED_AT]) / 10):
        raise _wrong_encoding(encoding, where)
    if not is_utf8:
        begin, rest = begun(_decoded(chain([begin], rest), encoding, where), len(codecs.BOM_UTF8))
    yield begin.removeprefix(codecs.BOM_UTF8)
    yield from rest


def begun(chunks: Iterable[bytes], least: int) -> tuple[bytes, Iterator[bytes]]:
    """So many bytes at least, where there are so many, and the rest."""
    rest = iter(chunks)
    begin = b""
    for piece in rest:
        begin += piece
        if len(begin) >= least:
            break
    return begin, rest


def is_text(encoding: str) -> bool:
    """Whether there is such an encoding of text."""
    try:
        "".encode(encoding)
    except (LookupError, ValueError):
        return False
    return True


def _decoded(chunks: Iterable[bytes], encoding: str, where: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)(_HANDLER)
    try:
        for chunk in chunks:
            yield decoder.decode(chunk).encode("utf-8", "surrogateescape")
        yield decoder.decode(b"", final=True).encode("utf-8", "surrogateescape")
    except UnicodeError as error:  # such as UTF-16 without the mark that says which one
        raise _wrong_encoding(encoding, where) from error


def _bad_bytes(error: UnicodeError) -> tuple[str, int]:
    """Surrogateescape itself gives the bytes back as they are, and two of them can be a letter of UTF-8."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\udcff", error.end


codecs.register_error(_HANDLER, _bad_bytes)


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
