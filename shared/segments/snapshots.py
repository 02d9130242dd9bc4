"""Which files make up a segment now: the newest complete snapshot, its partitions and how to read them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.errors import SegmentError
from shared.ports.blobs import BlobInfo, Blobs
from shared.segments.csv_layout import Dialect
from shared.segments.encodings import is_text
from shared.segments.model_json import blob_path, entity, table_of

INSTANCE = "CustomerInsights_"
SUFFIXES = (".csv", ".csv.gz")
_LEVELS = (r"[0-9]{4}", r"[0-9]{2}", r"[0-9]{2}", r"[0-9]{4}")


@dataclass(frozen=True)
class Partition:
    """One file. ``columns`` are those of ``model.json``; without them the first record names the columns.

    ``header`` says whether there is a header row; None where nothing says so: then there is one if the first record
    equals ``columns`` (model.json without fileFormatSettings means no header, but the files were never seen).
    """

    path: str
    etag: str
    size: int
    columns: tuple[str, ...] | None
    header: bool | None
    dialect: Dialect

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def gzipped(self) -> bool:
        return self.path.endswith(".gz")


@dataclass(frozen=True)
class Snapshot:
    """One dated folder of a segment. ``written_at`` is when its youngest file was."""

    segment: str
    path: str
    partitions: tuple[Partition, ...]
    written_at: datetime


def find(container: Blobs, segment: str, *, now: datetime, quiet: timedelta) -> Snapshot:
    """The newest complete snapshot. One is complete when every partition that model.json lists for it is there and
    none of its files is younger than ``quiet``.

    Raises SegmentError where there is no such segment, no complete snapshot, or a model.json that cannot be read.
    """
    incomplete: str | None = None
    for path in _dated_folders(container, segment):
        files = [info for info in container.list(path + "/") if info.name.endswith(SUFFIXES)]
        if not files:
            continue
        snapshot, lacking = _snapshot(container, segment, path, files)
        age = now - snapshot.written_at
        if not lacking and age >= quiet:
            return snapshot
        incomplete = incomplete or (
            f"{path} lacks {', '.join(lacking)}"
            if lacking
            else f"{path} was written to {age.total_seconds():.0f} s ago"
        )
    if incomplete:
        raise SegmentError(
            "snapshot_incomplete",
            f"The segment {segment} has no complete snapshot: {incomplete}.",
            "It is probably being written: try again in some minutes. If it stays so, run the export of Customer "
            "Insights again.",
        )
    raise SegmentError(
        "segment_not_found",
        f"The container {container.name} holds no snapshot of the segment {segment}.",
        "Check its name (<export folder>/<table>) and that the export of Customer Insights has run.",
    )


def names(container: Blobs) -> Iterator[str]:
    """Every ``<export folder>/<table>`` that has a dated folder."""
    seen: set[str] = set()
    for instance in container.folders(""):
        if not instance.startswith(INSTANCE):
            continue
        for folder in container.folders(f"{instance}/"):
            for table in container.folders(f"{instance}/{folder}/"):
                segment = f"{folder}/{table}"
                if segment not in seen and any(_years(container, f"{instance}/{segment}/")):
                    seen.add(segment)
                    yield segment


def _years(container: Blobs, prefix: str) -> Iterator[str]:
    return (name for name in container.folders(prefix) if re.fullmatch(_LEVELS[0], name))


def _dated_folders(container: Blobs, segment: str) -> Iterator[str]:
    """The paths of the segment's dated folders, the newest first, over all instances; each level is listed only
    when it is needed: dated folders pile up and are never cleaned."""
    instances = [name for name in container.folders("") if name.startswith(INSTANCE)]
    roots = [f"{instance}/{segment}/" for instance in instances]

    def below(prefixes: list[str], level: int) -> Iterator[str]:
        if level == len(_LEVELS):
            yield from sorted(prefix.rstrip("/") for prefix in prefixes if _is_date(prefix))
            return
        children: dict[str, list[str]] = {}
        for prefix in prefixes:
            for name in container.folders(prefix):
                if re.fullmatch(_LEVELS[level], name):
                    children.setdefault(name, []).append(f"{prefix}{name}/")
        for name in sorted(children, reverse=True):
            yield from below(children[name], level + 1)

    return below(roots, 0)


def _is_date(path: str) -> bool:
    try:
        datetime.strptime(path[-len("yyyy/MM/dd/HHmm/") :], "%Y/%m/%d/%H%M/")
    except ValueError:
        return False
    return True


def _snapshot(container: Blobs, segment: str, path: str, files: list[BlobInfo]) -> tuple[Snapshot, list[str]]:
    """The snapshot in the dated folder ``path``, and the names of the partitions that it lacks."""
    table = segment.partition("/")[2]
    described = entity(container, path, {table, *(table_of(info.name) for info in files)})
    listed = {blob_path(container.name, part.get("location")): part for part in described.get("partitions") or []}
    here = {location: part for location, part in listed.items() if location.startswith(path + "/")}
    infos = {info.name: info for info in files}
    lacking = sorted(location.rpartition("/")[2] for location in here if location not in infos)
    # model.json is written with each refresh, but nobody promises it: where it lists nothing of this folder (it
    # points at an older one), the folder itself says which partitions there are.
    wanted = [infos[location] for location in here if location in infos] if here else files
    columns = tuple(attribute["name"] for attribute in described.get("attributes") or []) or None
    any_part: dict[str, Any] = next(iter(listed.values()), {})
    partitions = [_partition(info, columns, here.get(info.name, any_part).get("fileFormatSettings")) for info in wanted]
    partitions.sort(key=lambda partition: _order(partition.name))
    written_at = max(info.modified for info in files)
    return Snapshot(segment, path, tuple(partitions), written_at), lacking


def _partition(info: BlobInfo, columns: tuple[str, ...] | None, settings: dict[str, Any] | None) -> Partition:
    """``settings`` is ``fileFormatSettings`` of model.json (CsvFormatSettings), absent as a whole or in parts."""
    settings = settings or {}
    delimiter = str(settings.get("delimiter") or ",")
    encoding = str(settings.get("encoding") or "utf-8")
    quoted = not str(settings.get("quoteStyle") or "").endswith("None")
    if not is_text(encoding) or len(delimiter.encode()) != 1 or delimiter.isalnum() or delimiter in '"\r\n\0':
        raise SegmentError(
            "format_unknown",
            f"model.json describes {info.name} with a delimiter or an encoding that cannot be used.",
            "Allowed are a delimiter of one character, such as , ; | or a tabulator, and an encoding such as UTF-8.",
        )
    header = settings.get("columnHeaders")
    return Partition(
        path=info.name,
        etag=info.etag,
        size=info.size,
        columns=columns,
        header=True if columns is None else header if isinstance(header, bool) else None,
        dialect=Dialect(delimiter, quoted, encoding),
    )


def _order(name: str) -> tuple[int, str]:
    """Partitions in the order of their numbers: _2 before _10."""
    number = re.search(r"_(\d+)\.csv(\.gz)?$", name)
    return (int(number[1]) if number else 0, name)
