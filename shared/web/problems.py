"""Errors as problem details (RFC 9457): a stable type, a sentence for the caller, what to do, never a cause."""

import logging
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from shared.errors import (
    Changed,
    ConfigurationError,
    DeploymentError,
    DestinationError,
    ExportError,
    NotFound,
    SegmentError,
    TemporaryError,
)

_STATUS: tuple[tuple[type[ExportError], HTTPStatus], ...] = (
    (NotFound, HTTPStatus.NOT_FOUND),
    (DeploymentError, HTTPStatus.INTERNAL_SERVER_ERROR),
    (Changed, HTTPStatus.PRECONDITION_FAILED),
    (ConfigurationError, HTTPStatus.BAD_REQUEST),
    (SegmentError, HTTPStatus.CONFLICT),
    (DestinationError, HTTPStatus.BAD_GATEWAY),
    (TemporaryError, HTTPStatus.SERVICE_UNAVAILABLE),
    (ExportError, HTTPStatus.INTERNAL_SERVER_ERROR),
)
_CONFLICTS = ("consent_missing", "export_disabled")

_log = logging.getLogger(__name__)


def add_to(web: FastAPI) -> None:
    web.add_exception_handler(ExportError, _export_error)
    web.add_exception_handler(RequestValidationError, _validation_error)
    web.add_exception_handler(HTTPException, _http_error)
    web.add_exception_handler(Exception, _defect)


def problem(
    status: int,
    code: str,
    detail: str,
    action: str = "",
    *,
    field: str | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    content = {
        "type": f"urn:segment-export:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "code": code,
        "detail": detail,
        "action": action,
        "field": field,
    }
    content = {name: value for name, value in content.items() if value not in (None, "")}
    return JSONResponse(content, status, headers, media_type="application/problem+json")


def _export_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ExportError)
    status = next(status for kind, status in _STATUS if isinstance(error, kind))
    if error.code in _CONFLICTS:
        status = HTTPStatus.CONFLICT
    _log.warning("%s", error, exc_info=error.__cause__)
    headers = {"Retry-After": f"{error.retry_after or 30:.0f}"} if isinstance(error, TemporaryError) else None
    field = error.field if isinstance(error, ConfigurationError) else None
    return problem(status, error.code, error.message, error.action, field=field, headers=headers)


def _validation_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
    return problem(
        HTTPStatus.BAD_REQUEST, "invalid", f"{field}: {first['msg']}.", "Correct it, and send it again.", field=field
    )


def _http_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    codes = {HTTPStatus.NOT_FOUND: "no_such_path", HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed"}
    code = codes.get(HTTPStatus(error.status_code), "http_error")
    action = "GET /api/docs shows what there is."
    return problem(error.status_code, code, str(error.detail), action, headers=dict(error.headers or {}))


def _defect(_: Request, error: Exception) -> JSONResponse:
    _log.error("defect", exc_info=error)
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "Something went wrong that nobody thought of.", "See the log."
    )
