"""HTTP: a request becomes an RpcHttp for the worker, the RpcHttp that comes back becomes the response.

What the Functions host does to a request on its way to a worker is done here too (RpcMessageConversionExtensions in the
sources of azure-functions-host): header names in lower case, several values of one name joined by a comma, empty ones
left out, the body as bytes. Keys are not asked for, as with Core Tools.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC
from email.utils import format_datetime
from http.cookies import SimpleCookie
from typing import Any

from starlette.background import BackgroundTask
from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from local.host import sign_in
from local.host.functions import Function
from local.host.invocation import Invoker
from local.host.protos import protos
from local.host.routes import Route

_ADMIN = "/admin/functions"
_DRAIN = "/admin/host/drain"
_SAME_SITE = {
    protos.RpcHttpCookie.Lax: "Lax",
    protos.RpcHttpCookie.Strict: "Strict",
    protos.RpcHttpCookie.ExplicitNone: "None",
}
_COOKIE_FIELDS = {"domain": "domain", "path": "path", "secure": "secure", "httponly": "http_only", "max-age": "max_age"}


class HttpServer:
    """The ASGI app of an instance: its HTTP functions, and the admin routes that every instance has.

    `by_hand` starts a function that has another trigger, with the `input` of the call: it is looked up by name. `drain`
    keeps the listeners from beginning anything: what they have in work goes on to its end, however long that takes.
    """

    def __init__(
        self,
        invoker: Invoker,
        *,
        functions: Sequence[Function],
        routes: Sequence[Route],
        by_hand: Mapping[str, Callable[[str], Awaitable[None]]],
        drain: Callable[[], None],
    ) -> None:
        self._invoker = invoker
        self._functions = functions
        self._routes = routes
        self._by_hand = by_hand
        self._drain = drain
        self._is_drained = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call; uvicorn is started without lifespan events, so every scope is a call."""
        request = Request(scope, receive)
        path = scope["path"]
        if path in (_DRAIN, f"{_DRAIN}/status"):
            response = self._answer_drain(request.method, path)
        elif path == _ADMIN or path.startswith(f"{_ADMIN}/"):
            response = await self._admin(request, path.removeprefix(_ADMIN).strip("/"))
        elif sign_in.is_on():
            response = await sign_in.answer(request) or await self._call(sign_in.as_believed(request), path)
        else:
            response = await self._call(request, path)
        await response(scope, receive, send)

    async def _call(self, request: Request, path: str) -> Response:
        for route in self._routes:
            parameters = route.match(request.method, path)
            if parameters is not None:
                break
        else:
            return Response(status_code=404)
        outcome = await self._invoker.invoke(route.function, await _typed_request(request, parameters))
        return _response(outcome.value) if outcome.succeeded else Response(status_code=500)

    def _answer_drain(self, method: str, path: str) -> Response:
        if (method, path) == ("POST", _DRAIN):
            self._is_drained = True
            self._drain()
            return Response(status_code=202)
        if (method, path) != ("GET", f"{_DRAIN}/status"):
            return Response(status_code=404)
        outstanding = {
            "outstandingInvocations": self._invoker.running,
            "outstandingRetries": self._invoker.retries,
        }
        state = "Disabled" if not self._is_drained else "InProgress" if any(outstanding.values()) else "Completed"
        return JSONResponse({"state": state} | outstanding)

    async def _admin(self, request: Request, name: str) -> Response:
        if request.method == "GET" and not name:
            return JSONResponse([{"name": each.name, "config": each.config} for each in self._functions])
        if request.method != "POST" or name not in self._by_hand:
            return Response(status_code=404)
        try:
            content = json.loads(await request.body() or b"{}")
            text = str(content.get("input") or "")
        except (ValueError, AttributeError):
            return Response('The body must be a JSON object: {"input": "..."}', status_code=400)
        # It runs after the answer is out: the caller is not kept waiting, as with the real route.
        task = BackgroundTask(self._by_hand[name], text)
        return Response(status_code=202, background=task)


async def _typed_request(request: Request, parameters: Mapping[str, str]) -> Any:
    raw_path = request.scope["raw_path"].decode("ascii")
    query_string = request.scope["query_string"].decode("ascii")
    host = request.headers.get("host", "")
    http = protos.RpcHttp(
        method=request.method,
        url=f"http://{host}{raw_path}" + (f"?{query_string}" if query_string else ""),
        headers=_joined(request.headers),
        query=_joined(request.query_params),
        params=parameters,
        body=protos.TypedData(bytes=await request.body()),
    )
    return protos.TypedData(http=http)


def _joined(pairs: Headers | QueryParams) -> dict[str, str]:
    values: dict[str, list[str]] = {}
    for name, value in pairs.multi_items() if isinstance(pairs, QueryParams) else pairs.items():
        values.setdefault(name, []).append(value)
    return {name: ",".join(several) for name, several in values.items() if any(several)}


def _response(returned: Any) -> Response:
    if returned is None:
        return Response(status_code=204)
    if returned.WhichOneof("data") != "http":
        return Response(_content(returned), media_type="text/plain")
    http = returned.http
    headers = {name: value for name, value in http.headers.items() if name.lower() != "content-length"}
    response = Response(_content(http.body), status_code=int(http.status_code), headers=headers)
    for cookie in http.cookies:
        response.headers.append("set-cookie", _set_cookie(cookie))
    return response


def _content(typed: Any) -> str | bytes:
    kind = typed.WhichOneof("data")
    return getattr(typed, kind) if kind else b""


def _set_cookie(cookie: Any) -> str:
    """Of an RpcHttpCookie."""
    said: SimpleCookie = SimpleCookie({cookie.name: cookie.value})
    morsel = said[cookie.name]
    for name, field in _COOKIE_FIELDS.items():
        if value := getattr(cookie, field).value:
            morsel[name] = int(value) if name == "max-age" else value
    if cookie.HasField("expires"):
        morsel["expires"] = format_datetime(cookie.expires.value.ToDatetime(UTC), usegmt=True)
    if cookie.same_site:
        morsel["samesite"] = _SAME_SITE[cookie.same_site]
    return morsel.OutputString()
