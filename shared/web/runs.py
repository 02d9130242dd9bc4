"""The routes of runs: start, follow, look back, cancel, and what was turned down."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from shared.catalog.store import READ_AT_ONCE
from shared.errors import ExportError, Forbidden, NotFound, Unreadable
from shared.parts import App
from shared.ports.threads import each
from shared.record.run_record import Mode, PublicRun, Run
from shared.runs.cancel import cancel
from shared.runs.final_status import as_of_now
from shared.runs.start import start
from shared.web.csv_file import csv_file, unchanged_midway
from shared.web.reject_groups import RejectGroup, grouped
from shared.web.request_parts import (
    AS_VIEWER,
    JSON_BODY,
    Contributor,
    ExportId,
    RunId,
    Wired,
    address,
    answers,
    header,
)

RETRY_AFTER = 2  # seconds until a look at the run may show something new

router = APIRouter(tags=["runs"])

IdempotencyKey = Annotated[
    str | None,
    Header(
        description="The same key within a day gives the same run, also when it has ended.",
        pattern=r"^[\x21-\x7e]{1,255}$",
    ),
]


class RunRequest(BaseModel):
    """How one run differs from what its export says; ``dry_run`` plans fully, and sends nothing; with
    ``confirm_removals`` it removes however many have left."""

    model_config = ConfigDict(extra="forbid")

    mode: Mode | None = None
    dry_run: Annotated[bool, Field(strict=True)] = False
    confirm_removals: Annotated[bool, Field(strict=True)] = False


class NotStarted(BaseModel):
    """An export that could not be started, and why."""

    export: str
    code: str
    message: str
    action: str


class Started(BaseModel):
    """A run for each export that has a schedule: a new one, or the one at work."""

    runs: list[PublicRun]
    not_started: list[NotStarted]


_WHERE = {"Location": header("The run."), "Retry-After": header("Seconds until it is worth looking at the run.")}
_RUN = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND)


@router.post(
    "/exports/{export_id}/runs",
    status_code=HTTPStatus.ACCEPTED,
    dependencies=[JSON_BODY],
    responses=answers(
        *_RUN,
        HTTPStatus.CONFLICT,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        good={
            HTTPStatus.ACCEPTED: {"description": "Begun, now or with the same key before.", "headers": _WHERE},
            HTTPStatus.OK: {
                "description": "The export has a run of the same kind at work: that one.",
                "model": PublicRun,
                "headers": _WHERE,
            },
        },
    ),
)
def start_run(
    export_id: ExportId,
    app: Wired,
    caller: Contributor,
    http: Request,
    response: Response,
    request: RunRequest | None = None,
    idempotency_key: IdempotencyKey = None,
) -> PublicRun:
    """Starts a run, of an export that is paused or has no schedule, too."""
    asked = request or RunRequest()
    export = app.catalog.export(export_id)
    caller.must_manage(export, app.catalog)
    key = _key(idempotency_key)
    run, is_new = start(
        app,
        export_id,
        "on-demand",
        mode=asked.mode,
        dry_run=asked.dry_run,
        confirm_removals=asked.confirm_removals,
        requested_by=caller.name,
        key=key,
    )
    response.status_code = HTTPStatus.ACCEPTED if is_new or key else HTTPStatus.OK
    response.headers["Location"] = address(http, f"/exports/{run.export}/runs/{run.id}")
    response.headers["Retry-After"] = str(RETRY_AFTER)
    return as_of_now(app, run)


@router.post("/runs", status_code=HTTPStatus.ACCEPTED, responses=answers(HTTPStatus.BAD_REQUEST))
def start_runs(app: Wired, caller: Contributor, idempotency_key: IdempotencyKey = None) -> Started:
    """Starts every enabled export that has a schedule and that the caller may manage."""
    started = Started(runs=[], not_started=[])
    for export in app.catalog.exports():
        if not export.enabled or export.schedule is None:
            continue
        try:
            caller.must_manage(export, app.catalog)
            run, _ = start(app, export.id, "on-demand", requested_by=caller.name, key=_key(idempotency_key))
        except Forbidden:
            continue
        except ExportError as error:
            started.not_started.append(
                NotStarted(export=export.id, code=error.code, message=error.message, action=error.action)
            )
        else:
            started.runs.append(as_of_now(app, run))
    return started


@router.get(
    "/exports/{export_id}/runs",
    dependencies=[AS_VIEWER],
    responses=answers(
        *_RUN,
        good={HTTPStatus.OK: {"headers": {"Link": header('The next page, with rel="next", where there is one.')}}},
    ),
)
def list_runs(
    export_id: ExportId,
    app: Wired,
    http: Request,
    response: Response,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    before: Annotated[
        str | None, Query(pattern=r"^[0-9]{8}T[0-9]{9}-[0-9a-f]{8}$", description="The last run of the page before.")
    ] = None,
) -> list[PublicRun]:
    """The newest first. A run whose record cannot be read is left out, so that it does not hide the others."""
    app.catalog.export(export_id)
    ids = [id_ for id_ in app.runs.ids(export_id) if before is None or id_ < before]
    if len(ids) > limit:
        following = address(http, f"/exports/{export_id}/runs?limit={limit}&before={ids[limit - 1]}")
        response.headers["Link"] = f'<{following}>; rel="next"'
    found = each(app.threads, lambda id_: _found(app, export_id, id_), ids[:limit], at_once=READ_AT_ONCE)
    return [run for run in found if run]


@router.get(
    "/exports/{export_id}/runs/{run_id}",
    dependencies=[AS_VIEWER],
    responses=answers(*_RUN),
)
def get_run(export_id: ExportId, run_id: RunId, app: Wired) -> PublicRun:
    """A run, with its account and its progress as of now."""
    return as_of_now(app, app.runs.get(export_id, run_id))


@router.delete(
    "/exports/{export_id}/runs/{run_id}",
    status_code=HTTPStatus.ACCEPTED,
    responses=answers(
        *_RUN,
        good={
            HTTPStatus.ACCEPTED: {"description": "It ends as cancelled when what is at work has stopped."},
            HTTPStatus.OK: {"description": "It had ended, and stays as it is.", "model": PublicRun},
        },
    ),
)
def cancel_run(export_id: ExportId, run_id: RunId, app: Wired, caller: Contributor, response: Response) -> PublicRun:
    """Cancels a run. What Campaign Monitor has confirmed stays confirmed."""
    caller.must_manage(app.catalog.export(export_id), app.catalog)
    run = cancel(app, export_id, run_id, by=caller.name)
    if run.ended:
        response.status_code = HTTPStatus.OK
    return as_of_now(app, run)


@router.get(
    "/exports/{export_id}/runs/{run_id}/rejects",
    dependencies=[AS_VIEWER],
    response_class=StreamingResponse,
    responses=answers(
        *_RUN,
        good={
            HTTPStatus.OK: {
                "description": "rejects.csv, in UTF-8 with a byte order mark; empty before the run is planned.",
                "content": {"text/csv": {"schema": {"type": "string"}}},
            }
        },
    ),
)
def get_rejects(export_id: ExportId, run_id: RunId, app: Wired) -> StreamingResponse:
    """Every profile that was not sent or was refused, with its address, where it came from, and why."""
    run = app.runs.get(export_id, run_id)
    return csv_file(app.rejects(run).chunks, f"{run.export}-{run.id}-rejects.csv")


@router.get(
    "/exports/{export_id}/runs/{run_id}/rejects/summary",
    dependencies=[AS_VIEWER],
    responses=answers(*_RUN),
)
def get_reject_groups(
    export_id: ExportId,
    run_id: RunId,
    app: Wired,
    show: Annotated[bool, Query(description="Give the addresses as they are, not masked.")] = False,
) -> list[RejectGroup]:
    """The same by reason, the largest group first, each with its first rows; addresses are masked."""
    rejects = app.rejects(app.runs.get(export_id, run_id))
    return unchanged_midway(lambda: grouped(rejects.chunks(), show=show))


def _key(given: str | None) -> str | None:
    """Apart from the keys of the schedule."""
    return f"asked {given}" if given else None


def _found(app: App, export_id: str, run_id: str) -> Run | None:
    try:
        return as_of_now(app, app.runs.get(export_id, run_id))
    except (NotFound, Unreadable):
        return None
