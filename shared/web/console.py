"""The door of the console: who comes in, what they may bring, and what a browser may do with what it gets."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import ExportError
from shared.parts import App
from shared.web import api, pages, sign_in
from shared.web.pages import Pages
from shared.web.refusal_page import STYLE_HASH, Refused
from shared.web.roles import Caller

AT = "/console"
SIGN_IN = "/.auth/login/aad?post_login_redirect_uri="
SIGN_OUT = "/.auth/logout?post_logout_redirect_uri=/console/"

_HEADERS = {
    # Trusted types are none at all: no script can make markup of text, whatever a name or a cell holds.
    "Content-Security-Policy": f"default-src 'none'; script-src 'self'; style-src 'self' '{STYLE_HASH}'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

_log = logging.getLogger(__name__)


def create(get_app: Callable[[], App], folder: Path) -> ASGIApp:
    """``folder`` holds the static files."""
    below, static = api.create(get_app, _caller_of, at=f"{AT}/api"), pages.read(folder, f"{AT}/static")

    async def console(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path = request.url.path.removeprefix(AT)
        is_api = path == "/api" or path.startswith("/api/")
        answer: ASGIApp
        try:
            app = await run_in_threadpool(get_app)
            scope["caller"] = caller = _let_in(app, request)
            answer = below if is_api else _page(static, path, request.method, app, caller)
        except ExportError as error:
            _log.error("%s", error, exc_info=error.__cause__)
            refused = Refused(HTTPStatus.INTERNAL_SERVER_ERROR, error.code, error.message, error.action)
            answer = refused.problem() if is_api else refused.page()
        except Refused as refused:
            answer = refused.problem() if is_api else refused.page()
        await answer(scope, receive, _with_headers(send))

    return console


def _caller_of(request: Request) -> Caller:
    caller: Caller = request.scope["caller"]
    return caller


def _page(static: Pages, path: str, method: str, app: App, caller: Caller) -> Response:
    if method != "GET":
        raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", "A page can only be read.", "")
    if not path:
        return RedirectResponse(f"{AT}/")
    if path.startswith("/static/"):
        return static.file(path.removeprefix("/static/"))
    vault = urlsplit(app.settings.key_vault_url or "").hostname or ""
    return static.page(name=caller.name, role=caller.role, vault=vault.partition(".")[0])


def _let_in(app: App, request: Request) -> Caller:
    """Raises Refused."""
    if not app.settings.require_sign_in:
        raise Refused(
            HTTPStatus.FORBIDDEN,
            "console_closed",
            "The console of this app is closed.",
            "To open it, turn on App Service authentication for the app, then set REQUIRE_SIGN_IN to true.",
        )
    person = sign_in.signed_in(request.headers)
    if person is None:
        back = SIGN_IN + quote(request.url.path)
        raise Refused(
            HTTPStatus.UNAUTHORIZED,
            "not_signed_in",
            "You are not signed in.",
            "The console is for people who have a role in this app.",
            ("Sign in", back),
        )
    if person.role is None:
        raise Refused(
            HTTPStatus.FORBIDDEN,
            "no_role",
            f"You are signed in as {person.name}, and have no role in this app.",
            f"Ask an administrator for one of its roles: {', '.join(sign_in.APP_ROLES)}.",
            ("Sign in as somebody else", SIGN_OUT),
        )
    if request.method != "GET" and not _same_origin(request):
        raise Refused(
            HTTPStatus.FORBIDDEN,
            "other_origin",
            "A change must come from the console's own pages.",
            "Programs use /api, with a function key.",
        )
    return Caller(name=person.name, role=person.role)


def _same_origin(request: Request) -> bool:
    """Browsers say it in Sec-Fetch-Site, which no script can write; old ones in Origin alone."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return urlsplit(request.headers.get("origin", "")).netloc == request.headers.get("host", "") != ""


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
