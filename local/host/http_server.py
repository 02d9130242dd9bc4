"""HTTP: a request becomes the library's `http` Datum, the Datum that comes back becomes the response.

What the Functions host does to a request on its way to a worker is done here too (RpcMessageConversionExtensions in the
sources of azure-functions-host): header names in lower case, several values of one name joined by a comma, empty ones
left out, the body as bytes. Keys are not asked for, as with Core Tools.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from azure.functions.meta import Datum
from starlette.background import BackgroundTask
from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from local.host import sign_in
from local.host.functions import Function
from local.host.invocation import Invoker
from local.host.routes import Route

_ADMIN = "/admin/functions"


class HttpServer:
    """The ASGI app of an instance: its HTTP functions, and the admin routes that every instance has.

    `by_hand` starts a function that has another trigger, with the `input` of the call: it is looked up by name.
    """

    def __init__(
        self,
        invoker: Invoker,
        *,
        functions: Sequence[Function],
        routes: Sequence[Route],
        by_hand: Mapping[str, Callable[[str], Awaitable[None]]],
    ) -> None:
        self._invoker = invoker
        self._functions = functions
        self._routes = routes
        self._by_hand = by_hand

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call; uvicorn is started without lifespan events, so every scope is a call."""
        request = Request(scope, receive)
        path = scope["path"]
        if path == _ADMIN or path.startswith(f"{_ADMIN}/"):
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
        outcome = await self._invoker.invoke(route.function, await _request_datum(request, parameters))
        return _response(outcome.value) if outcome.succeeded else Response(status_code=500)

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


async def _request_datum(request: Request, parameters: Mapping[str, str]) -> Datum:
    raw_path = request.scope["raw_path"].decode("ascii")
    query_string = request.scope["query_string"].decode("ascii")
    host = request.headers.get("host", "")
    url = f"http://{host}{raw_path}" + (f"?{query_string}" if query_string else "")
    return Datum(
        {
            "method": Datum(request.method, "string"),
            "url": Datum(url, "string"),
            "headers": _joined(request.headers),
            "query": _joined(request.query_params),
            "params": {name: Datum(value, "string") for name, value in parameters.items()},
            "body": Datum(await request.body(), "bytes"),
        },
        "http",
    )


def _joined(pairs: Headers | QueryParams) -> dict[str, Datum]:
    values: dict[str, list[str]] = {}
    for name, value in pairs.multi_items() if isinstance(pairs, QueryParams) else pairs.items():
        values.setdefault(name, []).append(value)
    return {name: Datum(",".join(several), "string") for name, several in values.items() if any(several)}


def _response(datum: Datum | None) -> Response:
    if datum is None:
        return Response(status_code=204)
    if datum.type != "http":
        return Response(datum.value, media_type="text/plain")
    content: Mapping[str, Any] = datum.value
    headers = {name: value.value for name, value in content["headers"].items() if name.lower() != "content-length"}
    response = Response(content["body"].value, status_code=int(content["status_code"].value), headers=headers)
    for cookie in content["cookies"] or ():
        for morsel in cookie.values():
            response.headers.append("set-cookie", morsel.OutputString())
    return response
