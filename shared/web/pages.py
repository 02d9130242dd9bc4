"""The files of the console: read once, and served under an address that changes with them, so that a browser may keep
them for ever and shows the new ones at once."""

import hashlib
import html
import re
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


@dataclass(frozen=True)
class Pages:
    """``files`` by their path below the folder, with the version before it; ``template`` is the one page."""

    files: Mapping[str, bytes]
    template: str

    def file(self, path: str) -> Response:
        """404 also for one of another version: whoever asks for it has an old page."""
        content = self.files.get(path)
        if content is None:
            return Response(status_code=HTTPStatus.NOT_FOUND)
        return Response(content, media_type=_TYPES[Path(path).suffix], headers=_FOR_EVER)

    def page(self, **values: str) -> Response:
        """The same for every address: its script reads that. ``values`` stand in it as text."""
        return HTMLResponse(_filled(self.template, {name: html.escape(value) for name, value in values.items()}))


def read(folder: Path, at: str) -> Pages:
    """``at`` is the path that the files are served below. In ``index.html`` ``{base}`` is where they are, and
    ``{modules}`` has the browser fetch all scripts at once instead of each when another one asks for it."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix in _TYPES)
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    template = files.pop("index.html").decode()
    every = hashlib.sha256()
    for name, content in files.items():
        every.update(name.encode() + content)
    version = every.hexdigest()[:16]
    base = f"{at}/{version}"
    scripts = [f'<link rel="modulepreload" href="{base}/{name}">' for name in files if name.endswith(".js")]
    template = _filled(template, {"base": base, "modules": "\n  ".join(scripts)})
    return Pages({f"{version}/{name}": content for name, content in files.items()}, template)


def _filled(template: str, values: Mapping[str, str]) -> str:
    """In one go: what is filled in is not looked at again."""
    return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], found[0]), template)
