"""In which segments of an export a subscriber is, for a field of the list that takes many options.

With several segments nobody knows that before all are read. So they are read twice: first for their addresses alone, of
which a number of 16 bytes and a bit for each segment stay; then for the subscribers.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from shared.catalog.documents import Mapping
from shared.errors import DestinationError
from shared.plan.mapping import SEGMENTS_HERE
from shared.plan.planner import Planner
from shared.ports.destination import Field
from shared.ports.threads import Threads
from shared.record.duckdb_workspace import Workspace, Workspaces, quoted
from shared.record.slices import Sizes
from shared.segments.snapshots import Snapshot

MANY_OPTIONS = "MultiSelectMany"

_MENTIONED = "INSERT INTO mentioned SELECT md5_number(lower(email)), ?::UHUGEINT FROM read_parquet(?)"

_MEMBERSHIPS = """
CREATE TABLE memberships AS SELECT address, bit_or(bit) AS bits FROM mentioned GROUP BY address;
DROP TABLE mentioned
"""


def must_take(field: Field, segments: Sequence[str]) -> None:
    """Raises DestinationError where the field has no option for a segment: the service would drop it without a word."""
    if field.data_type != MANY_OPTIONS:
        raise DestinationError(
            "field_not_many",
            f"The field {field.key} of the list is of type {field.data_type}; the names of segments need one that "
            "takes many options.",
            "Name such a field as segments_field of the mapping, or create one in Campaign Monitor.",
        )
    missing = [option for option in _options(segments) if option not in field.options]
    if missing:
        raise DestinationError(
            "options_missing",
            f"The field {field.key} of the list has no option {', '.join(missing)}.",
            f"Its options are: {', '.join(field.options) or 'none'}. Add what is missing in Campaign Monitor: the "
            "names of the segments, without their folder.",
        )


def note(
    work: Workspace,
    workspaces: Workspaces,
    mapping: Mapping,
    field: Field,
    snapshots: Sequence[Snapshot],
    read: Callable[[Planner, Snapshot, int], None],
    *,
    threads: Threads,
    sizes: Sizes,
) -> Callable[[str], str]:
    """Gives what completes the query of ``mapping.subscribers``: in its bodies the items of the field take the place of
    SEGMENTS_HERE. An option that a subscriber has lost is taken away by name, since an import leaves the others.

    ``read`` reads a snapshot, given with its position, into a plan. With several, the addresses of all are read here.
    """
    names = [snapshot.segment for snapshot in snapshots]
    options = _options(names)
    if len(options) == 1:
        everybody = quoted(_item(field, options[0], is_in=True))
        return lambda query: f"SELECT * REPLACE ({_completed(everybody)}) FROM ({query})"  # noqa: S608
    sql = work.connection.execute
    sql("CREATE TABLE mentioned (address UHUGEINT, bit UHUGEINT)")
    for position, snapshot in enumerate(snapshots):
        bit = str(1 << options.index(_option(snapshot.segment)))

        def take(_: int, file: Path, bit: str = bit) -> None:
            sql(_MENTIONED, [bit, str(file)])

        with workspaces() as own:
            addresses = Planner(
                own,
                Mapping(email=mapping.email),
                {},
                threads=threads,
                sizes=sizes,
                acknowledged=None,
                slice_ready=take,
            )
            read(addresses, snapshot, position)
            addresses.close()
    sql(_MEMBERSHIPS)
    items = ", ',', ".join(
        f"if(m.bits & {1 << place}::UHUGEINT <> 0, {quoted(_item(field, option, is_in=True))},"
        f" {quoted(_item(field, option, is_in=False))})"
        for place, option in enumerate(options)
    )
    body = _completed(f"concat({items})")
    # Names of options stand in it only as literals, made by quoted().
    before = f"SELECT p.* REPLACE ({body}) FROM ("  # noqa: S608
    return lambda query: f"{before}{query}) AS p LEFT JOIN memberships AS m ON m.address = md5_number(lower(p.email))"


def _completed(items: str) -> str:
    return f"replace(body, {SEGMENTS_HERE}, {items}) AS body"


def _item(field: Field, option: str, *, is_in: bool) -> str:
    item = {"Key": field.key, "Value": option}
    return json.dumps(item if is_in else item | {"Clear": True}, ensure_ascii=False, separators=(",", ":"))


def _options(segments: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(map(_option, segments)))


def _option(segment: str) -> str:
    """The name of its table."""
    return segment.split("/")[1]
