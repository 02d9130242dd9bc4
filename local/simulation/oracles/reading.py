"""What a person would read in the files that a run used, and what should be on the list for it."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.simulation.files import Row
from local.simulation.history import History
from local.simulation.records import files_used, table_of

OPTIONAL_NOW = "values_left_out"  # a count of products that send a person without a value that its field cannot take


@dataclass(frozen=True)
class Read:
    """A row of a run: where it stands, and what becomes of it: ``malformed``, a reason of the address, ``duplicate``,
    or ``first``: the one that counts."""

    segment: str
    partition: str
    row: Row
    fate: str


@dataclass(frozen=True)
class Reading:
    rows: tuple[Read, ...]
    mapping: dict[str, Any]

    @property
    def first(self) -> dict[str, Read]:
        """By address."""
        return {one.row.email: one for one in self.rows if one.fate == "first"}

    @property
    def mentioned(self) -> set[str]:
        """Whose address stands in any row."""
        return {one.row.email for one in self.rows if one.row.email}

    def counts(self) -> dict[str, int]:
        by_fate = Counter(one.fate for one in self.rows)
        known = {"malformed": by_fate.pop("malformed", 0), "duplicate": by_fate.pop("duplicate", 0)}
        first = by_fate.pop("first", 0)
        return {"rows_read": len(self.rows), **known, "invalid": by_fate.total(), "first": first}

    def tables_of(self, email: str) -> set[str]:
        """In which tables the address stands in a row that can be read and whose address is good."""
        return {table_of(one.segment) for one in self.rows if one.row.email == email and "EMail" not in one.row.faults}


def readings(history: History, run: dict[str, Any]) -> list[Reading]:
    """One for each mapping that the export had until the run had planned; none where it came not so far."""
    if not run.get("partitions") or not run.get("planned_at"):
        return []
    begun = seconds(run["created_at"]) - 60
    found = history.configured(run["export"], begun, seconds(run["planned_at"]) + 60)
    mappings = []
    for document in found:
        if document["mapping"] not in mappings:
            mappings.append(document["mapping"])
    return [_reading(history, run, mapping) for mapping in mappings]


def seconds(moment: str) -> float:
    """Of the world, for a time in a record."""
    from datetime import datetime  # noqa: PLC0415

    from local.simulation.scheduler import EPOCH  # noqa: PLC0415

    return (datetime.fromisoformat(moment) - EPOCH).total_seconds()


def expected(read: Read, reading: Reading) -> dict[str, Any]:
    """What the list should hold of somebody, as far as the mapping says."""
    cells = {column: cell.strip() for column, cell in read.row.cells.items() if column not in read.row.faults}
    mapping = reading.mapping
    made: dict[str, Any] = {}
    named = [mapping.get("first_name"), mapping.get("last_name")]
    if any(named):
        made["name"] = " ".join(cells.get(column, "") for column in named if column and cells.get(column))
    if mapping.get("mobile_number"):
        made["mobile"] = re.sub(r"[ ().-]", "", cells.get(mapping["mobile_number"], ""))
    for field in mapping.get("custom_fields", []):
        made[field["key"]] = cells.get(field["column"], "")
    if mapping.get("segments_field"):
        made["Segments"] = sorted(reading.tables_of(read.row.email))
    return made


def difference(wanted: Mapping[str, Any], record: Mapping[str, Any], tables: set[str]) -> str:
    """Which value of the list is not as it should be; empty where all are. ``tables`` are the export's own."""
    for key, value in wanted.items():
        if key in ("name", "mobile"):
            held = record[key]
        elif key == "Segments":
            held = sorted(set(record["fields"].get(key) or []) & tables)
        else:
            held = record["fields"].get(key) or ""
        if held != value:
            return f"{key} is {held!r}, not {value!r}"
    return ""


def tables_of(run: dict[str, Any]) -> set[str]:
    return {table_of(one["segment"]) for one in run["snapshots"]}


def _reading(history: History, run: dict[str, Any], mapping: dict[str, Any]) -> Reading:
    custom = [field["column"] for field in mapping.get("custom_fields", [])]
    used = {mapping.get(name) for name in ("first_name", "last_name", "mobile_number")} | set(custom)
    costs = set() if OPTIONAL_NOW in run["counts"] else used
    seen: set[str] = set()
    rows = []
    for snapshot, parts in files_used(run):
        for part in sorted(parts, key=_number):
            versions = history.insights.written.get(f"{snapshot['path']}/{part}", [])
            file = versions[-1][1] if versions else None
            for row in file.rows if file else ():
                rows.append(Read(snapshot["segment"], part, row, _fate(row, costs, seen)))
    return Reading(tuple(rows), mapping)


def _number(file: str) -> int:
    """Of a file in its table."""
    return int(file.removesuffix(".csv").rpartition("_")[2])


def _fate(row: Row, costs: set[str | None], seen: set[str]) -> str:
    if row.malformed:
        return "malformed"
    if "EMail" in row.faults:
        return row.faults["EMail"]
    for column, reason in row.faults.items():
        if column in costs:
            return reason
    if row.email in seen:
        return "duplicate"
    seen.add(row.email)
    return "first"
