"""What is taken away with a connection or an export, and what keeps it from being taken away."""

from typing import Literal

from shared.catalog.documents import Connection, Export
from shared.catalog.store import Precondition
from shared.errors import Conflict, NotFound
from shared.parts import App


def users(app: App) -> dict[str, list[str]]:
    """The ids of the exports by that of their connection."""
    found: dict[str, list[str]] = {}
    for export in app.catalog.exports():
        if export.connection is not None:
            found.setdefault(export.connection, []).append(export.id)
    return found


def remove_export(app: App, export_id: str, *, only_if: Precondition) -> None:
    """Raises Conflict while a run is at work."""
    kept = app.catalog.kept(Export, export_id)
    only_if.check(kept.etag, f"The export {export_id}")
    _must_rest(app, export_id)
    app.catalog.remove(kept.item, only_if=only_if)


def remove_connection(
    app: App, connection_id: str, exports: Literal["remove", "detach"] | None, *, by: str, only_if: Precondition
) -> list[str]:
    """Returns the exports that use it, and changes nothing, while it is not said what becomes of them.

    Detached exports keep their configuration; a run that is at work then fails with its next step. Raises Conflict
    where an export that is to be removed has a run at work.
    """
    kept = app.catalog.kept(Connection, connection_id)
    only_if.check(kept.etag, f"The connection {connection_id}")
    using = users(app).get(connection_id, [])
    if using and exports is None:
        return using
    if exports == "remove":
        for export_id in using:
            _must_rest(app, export_id)

    def detach(export: Export) -> Export:
        return export.model_copy(update={"connection": None}) if export.connection == connection_id else export

    for export_id in using:
        if exports == "remove":
            app.catalog.remove(app.catalog.export(export_id))
        else:
            app.catalog.change_export(export_id, detach, by=by, now=app.clock.now())
    app.catalog.remove(kept.item, only_if=only_if)
    return []


def _must_rest(app: App, export_id: str) -> None:
    claim = app.claims.held(export_id)
    try:
        at_work = claim is not None and not app.runs.get(export_id, claim.run).ended
    except NotFound:
        at_work = False
    if claim and at_work:
        raise Conflict(
            "run_active",
            f"The export {export_id} has a run at work, {claim.run}.",
            "Wait for its end, or cancel it, then try again.",
        )
