"""How the rows of a partition are written, and some of them."""

from dataclasses import dataclass, field
from functools import cached_property

from shared.segments.quoting import Grammar


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
class Layout:
    """What is known of the rows of a partition: how many cells they have, in which of them the address is (counted from
    0; None where nobody knows), and whether the first record is a header, and no row."""

    columns: int
    email: int | None = None
    header: bool = False


@dataclass(frozen=True)
class Block:
    """Records in their order: the 1-based physical line where each begins, and its bytes (UTF-8, strictly RFC 4180,
    without the break at its end). ``spoilt`` are rows, too, by the line where each begins, but not to be read: the
    reason. ``text`` is all of the block as one piece, where every line of it is a record."""

    records: list[tuple[int, bytes]]
    spoilt: dict[int, str] = field(default_factory=dict)
    text: bytes | None = None

    @property
    def rows(self) -> int:
        return len(self.records) + len(self.spoilt)

    def first(self, rows: int) -> "Block":
        """Of so many rows."""
        lines = sorted([line for line, _ in self.records] + list(self.spoilt))[:rows]
        end = lines[-1] if lines else 0
        spoilt = {line: reason for line, reason in self.spoilt.items() if line <= end}
        return Block([record for record in self.records if record[0] <= end], spoilt)

    def numbered(self, delimiter: str) -> bytes:
        """The records as CSV, with the number of the line as a first cell."""
        mark = delimiter.encode()
        return b"".join([b"%d" % line + mark + record + b"\n" for line, record in self.records])
