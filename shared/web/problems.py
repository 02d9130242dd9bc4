"""Errors as problem details (RFC 9457): a stable type, a sentence for the caller, what to do, never a cause."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.catalog.documents import said_of
from shared.errors import (
    Changed,
    ConfigurationError,
    Conflict,
    DeploymentError,
    DestinationError,
    ExportError,
    Forbidden,
    NotFound,
    SegmentError,
    TemporaryError,
)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = 30  # seconds, where the service that does not answer says nothing

_STATUS: tuple[tuple[type[ExportError], HTTPStatus], ...] = (
    (NotFound, HTTPStatus.NOT_FOUND),
    (Conflict, HTTPStatus.CONFLICT),
    (DeploymentError, HTTPStatus.INTERNAL_SERVER_ERROR),
    (Forbidden, HTTPStatus.FORBIDDEN),
    (Changed, HTTPStatus.PRECONDITION_FAILED),
    (ConfigurationError, HTTPStatus.BAD_REQUEST),
    (SegmentError, HTTPStatus.CONFLICT),
    (DestinationError, HTTPStatus.BAD_GATEWAY),
    (TemporaryError, HTTPStatus.SERVICE_UNAVAILABLE),
    (ExportError, HTTPStatus.INTERNAL_SERVER_ERROR),
)
# What is refused before a route is asked: code, sentence, and what to do.
_REFUSED = {
    HTTPStatus.BAD_REQUEST: (
        "not_json",
        "The body is not JSON that can be read.",
        "Send one JSON document, in UTF-8 and not deeply nested.",
    ),
    HTTPStatus.NOT_FOUND: (
        "no_such_path",
        "There is nothing at this path.",
        "GET /api/openapi.json says what there is.",
    ),
    HTTPStatus.METHOD_NOT_ALLOWED: (
        "method_not_allowed",
        "The path does not take this method.",
        "The header Allow names those that it takes.",
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("too_large", "The body is too large.", "A body may have 1 MiB."),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: (
        "wrong_media_type",
        "The body is not sent as JSON.",
        "Send JSON, with the header Content-Type: application/json.",
    ),
}
MOST_BYTES = 1024 * 1024  # of a body
_MOST_COMPLAINTS = 10
_LONGEST_NAME = 100

_log = logging.getLogger(__name__)


class ProblemDetails(BaseModel):
    """What went wrong. ``code`` is stable and ends ``type``; ``action`` says what to do; ``field`` names what is wrong
    in the request, ``exports`` what is in the way."""

    type: str = Field(examples=["urn:segment-export:problem:export_not_found"])
    title: str
    status: int
    code: str
    detail: str
    action: str | None = None
    field: str | None = None
    exports: list[str] | None = None


class Guard:
    """Refuses a body that is too large, and answers for an error that nobody caught: Starlette would pass that on,
    too, and Azure's adapter would make an empty answer of it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False
        size = 0

        async def limited() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > MOST_BYTES:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return message

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, limited, watched)
        except Exception as error:
            if begun:
                raise
            _log.error("%s %s met a defect", scope.get("method"), scope.get("path"), exc_info=error)
            answer = problem(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                "internal",
                "Something went wrong that nobody thought of.",
                "The log holds the cause.",
            )
            await answer(scope, receive, send)


def add_to(web: FastAPI) -> None:
    web.add_exception_handler(ExportError, _export_error)
    web.add_exception_handler(RequestValidationError, _validation_error)
    web.add_exception_handler(HTTPException, _http_error)
    web.add_middleware(Guard)


def problem(
    status: int,
    code: str,
    detail: str,
    action: str | None = None,
    *,
    field: str | None = None,
    exports: list[str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    content = ProblemDetails(
        type=f"urn:segment-export:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=int(status),
        code=code,
        detail=_writable(detail),
        action=action,
        field=_writable(field) if field else None,
        exports=exports,
    )
    return JSONResponse(content.model_dump(exclude_none=True), status, headers, media_type=MEDIA_TYPE)


def _export_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ExportError)
    status = next(status for kind, status in _STATUS if isinstance(error, kind))
    _log.log(
        logging.WARNING if status >= HTTPStatus.INTERNAL_SERVER_ERROR else logging.INFO,
        "%s",
        error,
        exc_info=error.__cause__,
    )
    headers = None
    if isinstance(error, TemporaryError):
        headers = {"Retry-After": f"{error.retry_after or RETRY_AFTER:.0f}"}
    field = error.field if isinstance(error, ConfigurationError) else None
    return problem(status, error.code, error.message, error.action, field=field, headers=headers)


def _validation_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    complaints = error.errors()
    first: dict[str, Any] = complaints[0]
    if first["type"] == "json_invalid":
        return problem(HTTPStatus.BAD_REQUEST, *_REFUSED[HTTPStatus.BAD_REQUEST])
    if first["type"] == "key_in_request":
        return problem(
            HTTPStatus.BAD_REQUEST, "key_in_request", first["msg"], first["ctx"]["action"], field=first["ctx"]["field"]
        )
    fields = [_place(complaint["loc"]) for complaint in complaints]
    said = [f"{field}: {said_of(complaint)}" for field, complaint in zip(fields, complaints, strict=True)]
    more = f"; and {len(said) - _MOST_COMPLAINTS} more" if len(said) > _MOST_COMPLAINTS else ""
    return problem(
        HTTPStatus.BAD_REQUEST,
        "invalid",
        f"{'; '.join(said[:_MOST_COMPLAINTS])}{more}.",
        "Correct what is named, and send it again.",
        field=fields[0],
    )


def _place(loc: tuple[str | int, ...]) -> str:
    """Without its first part, which says whether it stands in the path, the query, a header or the body."""
    name = ".".join(str(part) for part in loc[1:]) or str(loc[0])
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"


def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    headers = dict(error.headers or {})
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = _methods(request) or headers.get("Allow", "GET")
    return problem(status, *_REFUSED.get(status, ("http_error", f"{status.phrase}.")), headers=headers)


def _methods(request: Request) -> str:
    """What the path takes: each route knows of its own method only."""
    described = request.app.openapi()["paths"].items()
    taken = [methods for path, methods in described if compile_path(path)[0].match(request.url.path)]
    return ", ".join(sorted(method.upper() for methods in taken for method in methods))


def _writable(text: str) -> str:
    """A name in a request may hold halves of characters, which JSON allows and UTF-8 does not."""
    return text.encode("utf-8", "backslashreplace").decode()
