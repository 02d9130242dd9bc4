"""The routes of audits: start one, and read what it found. It is a run like others in all else."""

from http import HTTPStatus

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from shared.record.blob_places import audit_name
from shared.record.run_record import PublicRun
from shared.runs.final_status import as_of_now
from shared.runs.start import start
from shared.web.csv_file import csv_file
from shared.web.request_parts import AS_VIEWER, Contributor, ExportId, RunId, Wired, address, answers, header
from shared.web.runs import RETRY_AFTER

router = APIRouter(tags=["runs"])

_WHERE = {"Location": header("The run."), "Retry-After": header("Seconds until it is worth looking at the run.")}


@router.post(
    "/exports/{export_id}/audit",
    status_code=HTTPStatus.ACCEPTED,
    responses=answers(
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        good={
            HTTPStatus.ACCEPTED: {"description": "Begun.", "headers": _WHERE},
            HTTPStatus.OK: {"description": "The export has an audit at work.", "model": PublicRun, "headers": _WHERE},
        },
    ),
)
def start_audit(export_id: ExportId, app: Wired, caller: Contributor, http: Request, response: Response) -> PublicRun:
    """Compares what the export has acknowledged with its list, and sends nothing. The run's findings are counts."""
    caller.must_manage(app.catalog.export(export_id), app.catalog)
    run, is_new = start(app, export_id, "on-demand", audit=True, requested_by=caller.name)
    response.status_code = HTTPStatus.ACCEPTED if is_new else HTTPStatus.OK
    response.headers["Location"] = address(http, f"/exports/{run.export}/runs/{run.id}")
    response.headers["Retry-After"] = str(RETRY_AFTER)
    return as_of_now(app, run)


@router.get(
    "/exports/{export_id}/runs/{run_id}/audit",
    dependencies=[AS_VIEWER],
    response_class=StreamingResponse,
    responses=answers(
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.NOT_FOUND,
        good={
            HTTPStatus.OK: {
                "description": "audit.csv, in UTF-8 with a byte order mark; empty for a run that is no audit.",
                "content": {"text/csv": {"schema": {"type": "string"}}},
            }
        },
    ),
)
def get_audit(export_id: ExportId, run_id: RunId, app: Wired) -> StreamingResponse:
    """Every acknowledged subscriber who is not active on the list, and fields that were sent and are not there."""
    run = app.runs.get(export_id, run_id)
    return csv_file(lambda: app.state.chunks(audit_name(run)), f"{run.export}-{run.id}-audit.csv")
