"""The routes of exports. Saving one never runs it; everybody sees them, and contributors manage those whose connection
is shared with them."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, StringConstraints

from shared.catalog.documents import ID_FORM, Connection, Export, ExportSettings
from shared.catalog.store import READ_AT_ONCE
from shared.checks import rehearsal
from shared.errors import ConfigurationError, Conflict, NotFound
from shared.parts import App
from shared.ports.threads import each
from shared.record.run_record import PublicRun, Status
from shared.runs import delete_configuration
from shared.runs.due import next_time
from shared.runs.final_status import as_of_now
from shared.web.request_parts import (
    JSON_BODY,
    Contributor,
    ExportId,
    OnlyIf,
    Viewer,
    Wired,
    address,
    answers,
    header,
    must_be_named,
)
from shared.web.roles import Caller

router = APIRouter(tags=["exports"])

_READ_ONLY: Any = Field(default=None, json_schema_extra={"readOnly": True})


class ExportBody(ExportSettings):
    """What is saved of an export. What an answer has beside that may be sent back; it is not read."""

    id: str | None = Field(default=None, json_schema_extra={"readOnly": True})
    connection_name: Any = _READ_ONLY
    may_manage: Any = _READ_ONLY
    status: Any = _READ_ONLY
    last_run: Any = _READ_ONLY
    next_due: Any = _READ_ONLY
    saved: Any = _READ_ONLY

    def named(self, id_: str) -> Export:
        return Export(id=id_, **{name: getattr(self, name) for name in ExportSettings.model_fields})


class ExportView(Export):
    """``connection_name`` is null where there is no such connection; ``may_manage`` is whether the caller may change
    and run the export. ``status`` is that of ``last_run``, whatever triggered it, null before the first; a rehearsal
    counts while it is at work. ``next_due`` is the next time of a cron expression."""

    connection_name: str | None
    may_manage: bool
    status: Status | None
    last_run: PublicRun | None
    next_due: datetime | None


_ETAG = {"headers": {"ETag": header("The version of the document; runs do not change it.")}}


@router.get("/exports", responses=answers(HTTPStatus.BAD_REQUEST))
def list_exports(
    app: Wired,
    caller: Viewer,
    runs: Annotated[bool, Query(description="Look up the last run of each, which takes its time.")] = True,
    id_: Annotated[
        list[Annotated[str, StringConstraints(pattern=ID_FORM)]] | None, Query(alias="id", description="Only these.")
    ] = None,
) -> list[ExportView]:
    viewed = _Viewed(app, caller, {one.id: one for one in app.catalog.connections()}, runs)
    exports = app.catalog.exports() if id_ is None else _those(app, id_)
    return each(app.threads, viewed.view, exports, at_once=READ_AT_ONCE)


@router.get(
    "/exports/{export_id}",
    responses=answers(HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, good={HTTPStatus.OK: _ETAG}),
)
def get_export(export_id: ExportId, app: Wired, caller: Viewer, response: Response) -> ExportView:
    kept = app.catalog.kept(Export, export_id)
    response.headers["ETag"] = kept.etag
    return _view(app, caller, kept.item)


@router.put(
    "/exports/{export_id}",
    dependencies=[JSON_BODY],
    responses=answers(
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.CONFLICT,
        HTTPStatus.PRECONDITION_FAILED,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        good={
            HTTPStatus.OK: _ETAG | {"description": "Replaced."},
            HTTPStatus.CREATED: {
                "description": "New.",
                "model": ExportView,
                "headers": _ETAG["headers"] | {"Location": header("Where it is.")},
            },
        },
    ),
)
def put_export(
    export_id: ExportId,
    document: ExportBody,
    app: Wired,
    caller: Contributor,
    only_if: OnlyIf,
    request: Request,
    response: Response,
) -> ExportView:
    """Saves an export: the whole of it. It runs when it is due, or is asked to."""
    must_be_named(document.id, export_id)
    export = document.named(export_id)
    _must_manage(app, caller, export, export_id)
    kept = app.catalog.save(export, by=caller.name, now=app.clock.now(), only_if=only_if)
    response.headers["ETag"] = kept.etag
    if kept.new:
        response.status_code = HTTPStatus.CREATED
        response.headers["Location"] = address(request, f"/exports/{export_id}")
    return _view(app, caller, kept.item)


@router.delete(
    "/exports/{export_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=answers(
        HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED
    ),
)
def delete_export(export_id: ExportId, app: Wired, caller: Contributor, only_if: OnlyIf) -> None:
    """Removes an export that has no run at work."""
    caller.must_manage(app.catalog.export(export_id), app.catalog)
    delete_configuration.remove_export(app, export_id, only_if=only_if)


@router.post(
    "/exports/{export_id}/check",
    dependencies=[JSON_BODY],
    responses=answers(
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    ),
)
def check_export(
    export_id: ExportId,
    app: Wired,
    caller: Contributor,
    document: ExportBody | None = None,
    create_fields: Annotated[
        bool, Query(description="Make the custom fields that the list lacks, as fields for text.")
    ] = False,
) -> rehearsal.Rehearsal:
    """The rehearsal before the first run: tries all that a run relies on, and sends nothing. With a body it is that of
    the configuration in it, which need not be saved."""
    if document is None:
        export = app.catalog.export(export_id)
        caller.must_manage(export, app.catalog)
    else:
        must_be_named(document.id, export_id)
        export = document.named(export_id)
        _must_manage(app, caller, export, export_id)
    return rehearsal.rehearse(app, export, create_fields=create_fields)


def _those(app: App, ids: list[str]) -> Iterator[Export]:
    """Without those that are gone, or cannot be read."""
    for id_ in dict.fromkeys(ids):
        with suppress(ConfigurationError):
            yield app.catalog.export(id_)


def _must_manage(app: App, caller: Caller, export: Export, export_id: str) -> None:
    """The export as it would be, and the one that it would replace."""
    caller.must_manage(export, app.catalog)
    if export.connection is not None:
        try:
            app.catalog.connection(export.connection)
        except NotFound as error:
            raise Conflict(error.code, error.message, error.action, field="connection") from None
    try:
        old = app.catalog.export(export_id)
    except NotFound:
        return
    caller.must_manage(old, app.catalog)


@dataclass(frozen=True)
class _Viewed:
    app: App
    caller: Caller
    connections: dict[str, Connection]
    with_runs: bool = True

    def view(self, export: Export) -> ExportView:
        connection = self.connections.get(export.connection or "")
        runs = self.app.runs.newest(export.id) if self.with_runs else iter(())
        last = next((run for run in runs if not (run.is_trial and run.ended)), None)
        is_own = self.caller.has("contributor") and (export.connection is None or self.caller.role == "admin")
        return ExportView(
            **dict(export),
            connection_name=connection.display_name if connection else None,
            may_manage=is_own or (connection is not None and self.caller.may_use(connection)),
            status=last.status if last else None,
            last_run=as_of_now(self.app, last) if last else None,
            next_due=next_time(export, self.app.clock.now()),
        )


def _view(app: App, caller: Caller, export: Export) -> ExportView:
    try:
        connections = {export.connection: app.catalog.connection(export.connection)} if export.connection else {}
    except NotFound:
        connections = {}
    return _Viewed(app, caller, connections).view(export)
