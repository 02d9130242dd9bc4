"""The HTTP API, put together: a door says who calls, and where it has put the API."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi

from shared.parts import App
from shared.web import audits, connections, exports, health, list_titles, problems, runs, segments
from shared.web.roles import Caller

_DESCRIPTION = """
Exports segments of Customer Insights to Campaign Monitor.

Errors are problem details (RFC 9457). Times are UTC. A wrong or missing function key is answered by Azure Functions,
with 401 and without a body.
"""


def create(get_app: Callable[[], App], caller_of: Callable[[Request], Caller], *, at: str = "/api") -> FastAPI:
    """``get_app`` is called with each request, so that a wrong setting is told to the one who asks; so is
    ``caller_of``, by which a door says who calls. ``at`` is the path of the API at this door."""
    web = FastAPI(
        title="Segments to Campaign Monitor",
        version="1",
        description=_DESCRIPTION,
        openapi_url=f"{at}/openapi.json",
        docs_url=f"{at}/docs",
        redoc_url=None,
        redirect_slashes=False,
        swagger_ui_oauth2_redirect_url=None,
    )
    web.state.get_app = get_app
    web.state.caller_of = caller_of
    web.state.at = at
    problems.add_to(web)
    for part in (connections, exports, list_titles, runs, audits, segments, health):
        web.include_router(part.router, prefix=at)
    web.openapi = lambda: _described(web)  # type: ignore[method-assign]  # as FastAPI documents it
    return web


def _described(web: FastAPI) -> dict[str, Any]:
    """What FastAPI makes of the routes, with problems in place of its own form of validation errors."""
    if web.openapi_schema:
        return web.openapi_schema
    schema = get_openapi(title=web.title, version=web.version, description=web.description, routes=web.routes)
    schemas = schema["components"]["schemas"]
    schemas["ProblemDetails"] = problems.ProblemDetails.model_json_schema()
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for path in schema["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
            for parameter in operation.get("parameters", []):
                parameter["schema"] = _of_text(parameter["schema"])
    web.openapi_schema = schema
    return schema


def _of_text(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter is left out or has a value: text cannot be null."""
    kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    return {name: value for name, value in schema.items() if name != "anyOf"} | kinds[0] if kinds else schema
