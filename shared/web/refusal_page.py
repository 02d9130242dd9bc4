"""Whom the console does not let in, and what they are told: a program as problem details, a person as a page."""

import base64
import hashlib
import html
from dataclasses import dataclass
from http import HTTPStatus

from starlette.responses import HTMLResponse, Response

from shared.web import problems

_STYLE = """
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { margin: 0; background: light-dark(#f6f7f9, #14171c); color: light-dark(#1c2128, #e6e9ed); }
  main { max-width: 34rem; margin: 18vh auto 0; padding: 0 1.5rem; }
  h1 { font-size: 1.5rem; line-height: 1.25; }
  a { color: light-dark(#1d4ed8, #93b4ff); }
"""
STYLE_HASH = f"sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}"


@dataclass
class Refused(Exception):
    """``link`` leads to where a person can do something about it: its text and its address."""

    status: HTTPStatus
    code: str
    message: str
    action: str
    link: tuple[str, str] | None = None

    def problem(self) -> Response:
        return problems.problem(self.status, self.code, self.message, self.action)

    def page(self) -> Response:
        message, action = html.escape(self.message), html.escape(self.action)
        way = f'<p><a href="{html.escape(self.link[1])}">{html.escape(self.link[0])}</a></p>' if self.link else ""
        content = f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{message}</title>
<style>{_STYLE}</style>
<main>
<h1>{message}</h1>
<p>{action}</p>
{way}
</main>
"""
        return HTMLResponse(content, self.status)
