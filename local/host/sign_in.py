"""App Service authentication as a function app meets it: a header of each call says who has signed in.

Here one signs in by stating a name and picking a role; nothing is proven. In Azure the platform does it, with Entra ID.
As there, nobody can write that header from outside while authentication is on; it is on where the app asks for it, by
the setting REQUIRE_SIGN_IN.
"""

import base64
import json
import os
from html import escape
from typing import Any
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

ROLES = {
    "Exports.Admin": "may do everything, connections too",
    "Exports.Contributor": "sets up and runs exports",
    "Exports.Viewer": "looks on",
    "": "has none",
}

_COOKIE = "AppServiceAuthSession"
_HEADER = b"x-ms-client-principal"
# As the platform names the claims of an account of Entra ID.
_NAME = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"
_ROLE = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"


def is_on() -> bool:
    return os.environ.get("REQUIRE_SIGN_IN", "").strip().lower() == "true"


async def answer(request: Request) -> Response | None:
    """What is below /.auth is answered here; None for all the rest."""
    path, query = request.url.path, request.query_params
    if not path.startswith("/.auth/"):
        return None
    if path == "/.auth/me":
        principal = _principal(request)
        return JSONResponse([principal] if principal else [], 200 if principal else 401)
    if path == "/.auth/logout":
        gone = RedirectResponse(_below(query.get("post_logout_redirect_uri", "/.auth/login/aad")), 302)
        gone.delete_cookie(_COOKIE)
        return gone
    if path != "/.auth/login/aad":
        return Response(status_code=404)
    target = _below(query.get("post_login_redirect_uri", "/console/"))
    if request.method != "POST":
        return HTMLResponse(_page())
    given = parse_qs((await request.body()).decode(), keep_blank_values=True)
    session = [given.get("name", [""])[0], given.get("role", [""])[0]]
    there = RedirectResponse(target, 303)
    there.set_cookie(_COOKIE, base64.urlsafe_b64encode(json.dumps(session).encode()).decode(), httponly=True)
    return there


def as_believed(request: Request) -> Request:
    """The call as the app gets it: with who has signed in, and without what came from outside in those headers."""
    headers = [(name, value) for name, value in request.scope["headers"] if not name.lower().startswith(_HEADER)]
    principal = _principal(request)
    if principal:
        headers.append((_HEADER, base64.b64encode(json.dumps(principal).encode())))
    return Request({**request.scope, "headers": headers}, request.receive)


def _principal(request: Request) -> dict[str, Any] | None:
    try:
        name, role = json.loads(base64.urlsafe_b64decode(request.cookies[_COOKIE]))
    except (KeyError, ValueError):
        return None
    claims = [{"typ": _NAME, "val": name}, *([{"typ": _ROLE, "val": role}] if role else [])]
    return {"auth_typ": "aad", "claims": claims, "name_typ": _NAME, "role_typ": _ROLE}


def _below(target: str) -> str:
    """A path of this host, whatever the address asks for."""
    parts = urlsplit(target)
    return target if parts.path.startswith("/") and not (parts.scheme or parts.netloc) else "/console/"


def _page() -> str:
    choices = "".join(
        f'<label><input type="radio" name="role" value="{role}"{" checked" if first else ""}> '
        f"<span><b>{escape(role or 'No role')}</b><br>{escape(text)}</span></label>\n"
        for first, (role, text) in zip((True, *[False] * len(ROLES)), ROLES.items(), strict=False)
    )
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sign in, here</title>
<style>
  :root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }}
  body {{ margin: 0; background: light-dark(#f5f6f8, #14171c); }}
  form {{ max-width: 24rem; margin: 12vh auto; padding: 2rem; border-radius: 12px;
         background: light-dark(#fff, #1d2127); box-shadow: 0 1px 3px #0003; }}
  h1 {{ margin: 0 0 .25rem; font-size: 1.4rem; }}
  p {{ margin: 0 0 1.5rem; color: light-dark(#57606a, #a3adb8); }}
  fieldset {{ margin: 1.5rem 0; padding: 0; border: 0; }}
  legend, .name {{ display: block; margin-bottom: .4rem; padding: 0; font-weight: 600; }}
  fieldset label {{ display: flex; gap: .6rem; align-items: baseline; padding: .35rem 0; }}
  fieldset span {{ line-height: 1.35; }}
  input[name=name] {{ box-sizing: border-box; width: 100%; padding: .5rem .6rem; font: inherit; }}
  button {{ width: 100%; padding: .6rem; border: 0; border-radius: 6px; background: #1d4ed8; color: #fff; font: inherit;
           font-weight: 600; }}
</style>
<form method="post">
<h1>Sign in</h1>
<p>This stands in for App Service authentication on your own machine. Nothing is proven.</p>
<label class="name" for="name">Name</label>
<input id="name" name="name" value="jane@contoso.example" required autocomplete="off">
<fieldset><legend>App role</legend>
{choices}</fieldset>
<button>Sign in</button>
</form>
"""
