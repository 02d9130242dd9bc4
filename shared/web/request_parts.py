"""What the routes take of a request: the app, the caller, ids, and what must hold for a write."""

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import Depends, Header, HTTPException, Path, Request

from shared.catalog.documents import ID_FORM
from shared.catalog.store import Precondition
from shared.errors import ConfigurationError
from shared.parts import App
from shared.settings import ROLES, Role
from shared.web.problems import MEDIA_TYPE
from shared.web.roles import Caller

_ETAG = re.compile(r'(?P<weak>W/)?(?P<tag>"[^"]*")|\*')
_COMMON = (HTTPStatus.FORBIDDEN, HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE)
_MEANINGS = {
    HTTPStatus.BAD_REQUEST: "Something in the request is not allowed: `field` says what, `detail` what is allowed.",
    HTTPStatus.FORBIDDEN: "The caller's role does not allow it.",
    HTTPStatus.NOT_FOUND: "There is nothing of this id.",
    HTTPStatus.CONFLICT: "It does not go with what is saved or running: `action` says what has to change first.",
    HTTPStatus.PRECONDITION_FAILED: "The document is not the one that If-Match or If-None-Match asks for.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body has more than 1 MiB.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body is not sent as application/json.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "A defect, or a fault of the deployment: `action` says what to do.",
    HTTPStatus.BAD_GATEWAY: "Campaign Monitor says no.",
    HTTPStatus.SERVICE_UNAVAILABLE: "Storage, Key Vault or Campaign Monitor does not answer; try again later.",
}


def _app(request: Request) -> App:
    app: App = request.app.state.get_app()
    return app


def _caller(request: Request) -> Caller:
    caller: Caller = request.app.state.caller_of(request)
    return caller


def _with(role: Role) -> Callable[[Caller], Caller]:
    def check(caller: Annotated[Caller, Depends(_caller)]) -> Caller:
        caller.must_have(role)
        return caller

    return check


def _precondition(
    if_match: Annotated[str | None, Header(description="The ETag that the document must have, or `*` for any.")] = None,
    if_none_match: Annotated[
        Literal["*"] | None, Header(description="`*`: there must be no document of this id yet.")
    ] = None,
) -> Precondition:
    """What is not an ETag, and a weak one, is never that of a document: it does not hold."""
    match = None
    if if_match is not None:
        match = tuple(found[0] for found in _ETAG.finditer(if_match) if not found["weak"])
    return Precondition(match=match, new=if_none_match is not None)


async def _is_json(request: Request) -> None:
    if await request.body() and not re.match(
        r"application/([\w.-]+\+)?json\b", request.headers.get("content-type", "").lower()
    ):
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)


Wired = Annotated[App, Depends(_app)]
Viewer = Annotated[Caller, Depends(_with("viewer"))]
Contributor = Annotated[Caller, Depends(_with("contributor"))]
Admin = Annotated[Caller, Depends(_with("admin"))]
AS_VIEWER, AS_CONTRIBUTOR, AS_ADMIN = (Depends(_with(role)) for role in ROLES)
OnlyIf = Annotated[Precondition, Depends(_precondition)]
JSON_BODY = Depends(_is_json)

_ID = "Lower-case letters, digits and hyphens, 63 at most; the first is no hyphen."
ConnectionId = Annotated[str, Path(pattern=ID_FORM, description=_ID)]
ExportId = Annotated[str, Path(pattern=ID_FORM, description=_ID)]
RunId = Annotated[str, Path(pattern=r"^[0-9]{8}T[0-9]{9}-[0-9a-f]{8}$", description="As the API gives it.")]


def address(request: Request, path: str) -> str:
    """Where the caller finds ``path``: under the API's own path at the door that the request came through."""
    return f"{request.app.state.at}{path}"


def must_be_named(document_id: str | None, id_: str) -> None:
    """Raises ConfigurationError where a document has another id than its path."""
    if document_id not in (None, id_):
        raise ConfigurationError(
            "invalid",
            "id: in the document it is not that of the path.",
            "Leave it out, or make them equal.",
            field="id",
        )


def answers(
    *errors: HTTPStatus, good: dict[HTTPStatus, dict[str, Any]] | None = None
) -> dict[int | str, dict[str, Any]]:
    """What a route answers, for its description: problems, and what ``good`` says of the others."""
    schema = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
    problems: dict[int | str, dict[str, Any]] = {
        int(code): {"description": _MEANINGS[code], "content": schema} for code in (*errors, *_COMMON)
    }
    return {int(code): meaning for code, meaning in (good or {}).items()} | problems


def header(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}}
