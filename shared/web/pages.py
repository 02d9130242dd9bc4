"""The files of the console: read once, and served under an address that changes with them, so that a browser may keep
them for ever and shows the new ones at once."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from starlette.responses import HTMLResponse, Response

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_FOR_EVER = {"Cache-Control": "private, max-age=31536000, immutable"}
_ANEW = {"Cache-Control": "no-cache"}


@dataclass(frozen=True)
class Pages:
    """``files`` by their path below the folder; ``page`` is the one page, which shows them all."""

    base: str
    files: Mapping[str, bytes]
    page: bytes

    def answer(self, path: str) -> Response:
        """``path`` is below the console. What is no file is the page: its script reads the address."""
        prefix = f"{self.base.removeprefix('/console/')}/"
        if path.startswith(prefix):
            name = path.removeprefix(prefix)
            content = self.files.get(name)
            if content is None:
                return Response(status_code=HTTPStatus.NOT_FOUND)
            return Response(content, media_type=_TYPES[Path(name).suffix], headers=_FOR_EVER)
        if path.startswith("static/"):  # of an older version
            return Response(status_code=HTTPStatus.NOT_FOUND)
        return HTMLResponse(self.page, headers=_ANEW)


def read(folder: Path) -> Pages:
    """``index.html`` names the others: in it ``{base}`` is where they are, ``{modules}`` has the browser fetch all
    scripts at once instead of each when another one asks for it."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix in _TYPES)
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    page = files.pop("index.html").decode()
    version = hashlib.sha256(page.encode() + b"".join(name.encode() + data for name, data in files.items()))
    base = f"/console/static/{version.hexdigest()[:16]}"
    scripts = [name for name in files if name.endswith(".js")]
    modules = "\n".join(f'  <link rel="modulepreload" href="{base}/{name}">' for name in scripts)
    page = page.replace("{base}", base).replace("{modules}", modules.strip())
    return Pages(base, files, page.encode())
