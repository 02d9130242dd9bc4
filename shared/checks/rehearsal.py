"""The check of an export before its first run: everything that a run relies on is tried, and nothing is sent."""

from contextlib import closing
from datetime import datetime

from shared.catalog.documents import Export, field_key
from shared.checks.connection_check import Finding, Told, Tried, try_key
from shared.checks.first_subscribers import Preview, preview
from shared.parts import App
from shared.plan import pinned_snapshots, snapshot_age
from shared.plan.columns import must_have_columns
from shared.plan.list_fields import list_fields, must_have_fields
from shared.ports.destination import Destination, Field, ListDetails
from shared.segments.header_row import columns
from shared.segments.snapshots import Snapshot


class CheckedList(Told):
    """Of a list with ``confirmed_opt_in``, new subscribers stay unconfirmed until they answer the service's mail."""

    title: str
    confirmed_opt_in: bool


class CheckedField(Told):
    """A custom field of the mapping: whether the list has it, and whether it was made just now; ``data_type`` is in the
    service's words."""

    key: str
    column: str
    there: bool
    created: bool
    data_type: str | None


class CheckedSegment(Told):
    """The newest complete snapshot of a segment. Its age counts from when its files were written."""

    segment: str
    path: str
    written_at: datetime
    age_hours: float
    partitions: int
    bytes: int
    columns: tuple[str, ...]


class Rehearsal(Told):
    """``ok`` is whether every finding is; their ``what``: ``connection``, ``secret``, ``key``, ``list``, ``fields``,
    ``segment``, ``columns``, ``age``, ``preview``; and of what the export does to the list ``resubscribe`` and
    ``removals``. What could not be found out is missing."""

    ok: bool
    findings: tuple[Finding, ...]
    list: CheckedList | None = None
    fields: tuple[CheckedField, ...] = ()
    segments: tuple[CheckedSegment, ...] = ()
    preview: Preview = Preview()


def rehearse(app: App, export: Export, *, create_fields: bool) -> Rehearsal:
    """With ``create_fields`` the custom fields that the list lacks are made, as fields for text."""
    tried = Tried()
    connection = tried("connection", lambda: app.agreed(export), lambda one: f"The connection is {one.display_name}.")
    account = try_key(app, tried, connection) if connection else None
    about: CheckedList | None = None
    fields: dict[str, Field] | None = None
    checked: tuple[CheckedField, ...] = ()
    if account:
        with closing(account):
            about = _list(tried, account, export) if tried.ok else None
            if about:
                fields, checked = _fields(tried, account, export, create=create_fields)
    _effects(tried, export)
    looked = [_segment(app, tried, export, name) for name in export.segments]
    segments = [one for one in looked if one]
    shown = None
    if (
        segments
        and fields is not None
        and all(set(export.mapping.columns()) <= set(one.columns) for _, one in segments)
    ):
        shown = _preview(app, tried, export, tuple(snapshot for snapshot, _ in segments), fields)
    return Rehearsal(
        ok=tried.ok,
        findings=tuple(tried.findings),
        list=about,
        fields=checked,
        segments=tuple(one for _, one in segments),
        preview=shown or Preview(),
    )


def _list(tried: Tried, account: Destination, export: Export) -> CheckedList | None:
    def say(details: ListDetails) -> str:
        opt_in = "; new subscribers stay unconfirmed until they confirm" if details.confirmed_opt_in else ""
        return f"The list is {details.title}{opt_in}."

    found = tried("list", lambda: account.list_details(export.list_id), say)
    return CheckedList(title=found.title, confirmed_opt_in=found.confirmed_opt_in) if found else None


def _fields(
    tried: Tried, account: Destination, export: Export, *, create: bool
) -> tuple[dict[str, Field] | None, tuple[CheckedField, ...]]:
    """The fields of the list by their ``field_key``, and those of the mapping one by one."""
    created: set[str] = set()

    def look() -> dict[str, Field]:
        fields = list_fields(account, export.list_id)
        missing = [field.key for field in export.mapping.custom_fields if field_key(field.key) not in fields]
        if not (create and missing):
            return fields
        for key in missing:
            account.create_field(export.list_id, key)
            created.add(field_key(key))
        return list_fields(account, export.list_id)

    fields = tried("fields", look, lambda found: f"The list has {len(found)} custom fields.")
    if fields is None:
        return None, ()
    tried("fields", lambda: must_have_fields(export, fields), lambda _: "It has all that the mapping names.")
    checked = []
    for field in export.mapping.custom_fields:
        found = fields.get(field_key(field.key))
        made = field_key(field.key) in created
        kind = found.data_type if found else None
        checked.append(
            CheckedField(key=field.key, column=field.column, there=bool(found), created=made, data_type=kind)
        )
    return fields, tuple(checked)


def _effects(tried: Tried, export: Export) -> None:
    """What whoever saves the export should know that it does; nothing is tried."""
    if export.resubscribe:
        message = (
            "Everybody in the segments is put back on the list, also those who have unsubscribed, bounced or "
            "complained, or are on the suppression list: you need their consent. Without resubscribe they are refused."
        )
        tried.findings.append(Finding(what="resubscribe", ok=True, message=message))
    if export.removals != "keep":
        done = "unsubscribed from" if export.removals == "unsubscribe" else "deleted from"
        message = (
            f"Whom the export added and who has left all its segments is {done} the list, unless more than "
            f"{export.max_removal_percent}% have left."
        )
        tried.findings.append(Finding(what="removals", ok=True, message=message))


def _segment(app: App, tried: Tried, export: Export, name: str) -> tuple[Snapshot, CheckedSegment] | None:
    """The newest complete snapshot, its columns, and its age."""
    snapshot = tried("segment", lambda: pinned_snapshots.newest_of(app, name), _found)
    if not snapshot:
        return None
    names = tried(
        "columns",
        lambda: columns(app.segments, snapshot, export.mapping.columns()),
        lambda found: f"{name} has {len(found)} columns.",
    )
    if names is None:
        return None
    tried(
        "columns",
        lambda: must_have_columns(export.mapping, names, name, told=snapshot.partitions[0].columns or ()),
        lambda _: f"{name} has all columns that the mapping names.",
    )
    now = app.clock.now()
    tried(
        "age",
        lambda: snapshot_age.judge(export, [pinned_snapshots.used(snapshot)], None, now=now),
        lambda _: f"{name} is not older than the export allows.",
    )
    return snapshot, CheckedSegment(
        segment=name,
        path=snapshot.path,
        written_at=snapshot.written_at,
        age_hours=round((now - snapshot.written_at).total_seconds() / 3600, 1),
        partitions=len(snapshot.partitions),
        bytes=sum(partition.size for partition in snapshot.partitions),
        columns=names,
    )


def _found(snapshot: Snapshot) -> str:
    return f"{snapshot.segment} has a complete snapshot of {len(snapshot.partitions)} partitions: {snapshot.path}."


def _preview(
    app: App, tried: Tried, export: Export, snapshots: tuple[Snapshot, ...], fields: dict[str, Field]
) -> Preview | None:
    """Without the custom fields that the list lacks."""
    there = tuple(field for field in export.mapping.custom_fields if field_key(field.key) in fields)
    mapping = export.mapping.model_copy(update={"custom_fields": there})
    return tried(
        "preview",
        lambda: preview(app, snapshots, mapping, fields),
        lambda shown: f"The first {len(shown.subscribers)} subscribers are shown.",
    )
