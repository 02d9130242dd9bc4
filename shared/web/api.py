"""The routes, all under /api."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import Body, FastAPI, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict

from shared import export as exporting
from shared import segments
from shared.app import App
from shared.catalog import Connection, Export, parse
from shared.errors import ConfigurationError, SegmentError
from shared.runs import Mode, PublicRun, Run
from shared.web import problems

Document = Annotated[dict[str, Any], Body()]


class RunRequest(BaseModel):
    """How one run differs from what its export says."""

    model_config = ConfigDict(extra="forbid")

    mode: Mode | None = None
    dry_run: bool = False


def create(get_app: Callable[[], App]) -> FastAPI:
    """``get_app`` is called with the first request, so that a wrong setting is told to the one who asks."""
    web = FastAPI(
        title="Segments to Campaign Monitor",
        version="1",
        openapi_url="/api/openapi.json",
        docs_url="/api/docs",
        redoc_url=None,
    )
    problems.add_to(web)

    @web.get("/api/connections")
    def list_connections() -> list[Connection]:
        return list(get_app().catalog.connections())

    @web.get("/api/connections/{connection_id}")
    def get_connection(connection_id: str) -> Connection:
        return get_app().catalog.connection(connection_id)

    @web.put("/api/connections/{connection_id}")
    def put_connection(connection_id: str, document: Document) -> Connection:
        connection = parse(Connection, _named(document, connection_id), "The connection")
        get_app().catalog.save(connection)
        return connection

    @web.delete("/api/connections/{connection_id}", status_code=HTTPStatus.NO_CONTENT)
    def delete_connection(connection_id: str) -> None:
        catalog = get_app().catalog
        catalog.remove(catalog.connection(connection_id))

    @web.get("/api/exports")
    def list_exports() -> list[Export]:
        return list(get_app().catalog.exports())

    @web.get("/api/exports/{export_id}")
    def get_export(export_id: str) -> Export:
        return get_app().catalog.export(export_id)

    @web.put("/api/exports/{export_id}")
    def put_export(export_id: str, document: Document) -> Export:
        export = parse(Export, _named(document, export_id), "The export")
        get_app().catalog.save(export)
        return export

    @web.delete("/api/exports/{export_id}", status_code=HTTPStatus.NO_CONTENT)
    def delete_export(export_id: str) -> None:
        catalog = get_app().catalog
        catalog.remove(catalog.export(export_id))

    @web.get("/api/segments")
    def list_segments() -> list[dict[str, Any]]:
        app = get_app()
        return [_segment(app, name) for name in segments.names(app.segments)]

    @web.post("/api/exports/{export_id}/runs", status_code=HTTPStatus.ACCEPTED)
    def start_run(export_id: str, response: Response, request: RunRequest | None = None) -> dict[str, Any]:
        app, request = get_app(), request or RunRequest()
        run, is_new = exporting.start(app, export_id, "on-demand", mode=request.mode, dry_run=request.dry_run)
        response.status_code = HTTPStatus.ACCEPTED if is_new else HTTPStatus.OK
        response.headers["Location"] = f"/api/exports/{run.export}/runs/{run.id}"
        response.headers["Retry-After"] = "2"
        return _public(exporting.view(app, run))

    @web.post("/api/runs", status_code=HTTPStatus.ACCEPTED)
    def start_runs() -> list[dict[str, Any]]:
        app = get_app()
        scheduled = [export for export in app.catalog.exports() if export.enabled and export.schedule]
        return [_public(exporting.start(app, export.id, "on-demand")[0]) for export in scheduled]

    @web.get("/api/exports/{export_id}/runs")
    def list_runs(
        export_id: str, limit: Annotated[int, Query(ge=1, le=100)] = 20, before: str | None = None
    ) -> list[dict[str, Any]]:
        app = get_app()
        app.catalog.export(export_id)
        ids = [id_ for id_ in app.runs.ids(export_id) if before is None or id_ < before]
        return [_public(exporting.view(app, app.runs.get(export_id, id_))) for id_ in ids[:limit]]

    @web.get("/api/exports/{export_id}/runs/{run_id}")
    def get_run(export_id: str, run_id: str) -> dict[str, Any]:
        app = get_app()
        return _public(exporting.view(app, app.runs.get(export_id, run_id)))

    @web.delete("/api/exports/{export_id}/runs/{run_id}", status_code=HTTPStatus.ACCEPTED)
    def cancel_run(export_id: str, run_id: str) -> dict[str, Any]:
        app = get_app()
        return _public(exporting.view(app, exporting.cancel(app, export_id, run_id)))

    @web.get("/api/exports/{export_id}/runs/{run_id}/rejects", response_class=StreamingResponse)
    def get_rejects(export_id: str, run_id: str) -> StreamingResponse:
        app = get_app()
        run = app.runs.get(export_id, run_id)
        name = f"{run.export}-{run.id}-rejects.csv"
        return StreamingResponse(
            app.rejects(run).chunks(),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    @web.get("/api/health")
    def health() -> dict[str, Literal["ok"]]:
        next(iter(get_app().catalog.exports()), None)
        return {"status": "ok"}

    return web


def _named(document: dict[str, Any], id_: str) -> dict[str, Any]:
    """The document with the id of its path."""
    if document.get("id", id_) != id_:
        raise ConfigurationError(
            "invalid",
            "The id in the document is not that in the path.",
            "Leave it out, or make them equal.",
            field="id",
        )
    return document | {"id": id_}


def _public(run: Run) -> dict[str, Any]:
    return run.model_dump(mode="json", include=set(PublicRun.model_fields))


def _segment(app: App, name: str) -> dict[str, Any]:
    try:
        snapshot = app.snapshot(name)
    except SegmentError as error:
        return {"segment": name, "snapshot": None, "error": {"code": error.code, "message": error.message}}
    return {
        "segment": name,
        "snapshot": {
            "path": snapshot.path,
            "written_at": snapshot.written_at,
            "partitions": len(snapshot.partitions),
            "bytes": sum(partition.size for partition in snapshot.partitions),
        },
        "columns": segments.columns(app.segments, snapshot),
        "error": None,
    }
