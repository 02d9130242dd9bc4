"""From a request's path to the function that answers it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote


@dataclass(frozen=True)
class Request:
    """What came over the wire. `target` is the path with its query, still encoded; `headers` by `Title-Case` name."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        """By name in lower case; `+` is a space, so a client must encode it in an address."""
        pairs = parse_qsl(self.target.partition("?")[2], keep_blank_values=True)
        return {name.lower(): value for name, value in pairs}


def find_route[F](routes: Iterable[tuple[str, str, F]], method: str, path: str) -> tuple[F, dict[str, str]] | None:
    """The first route of this method and path, and the parts that its pattern names: `lists/{list}/stats`."""
    parts = [unquote(part) for part in path.split("/")]
    for route_method, pattern, function in routes:
        arguments = _arguments(pattern.split("/"), parts)
        if route_method == method and arguments is not None:
            return function, arguments
    return None


def _arguments(names: list[str], parts: list[str]) -> dict[str, str] | None:
    if len(names) != len(parts):
        return None
    arguments = {}
    for name, part in zip(names, parts, strict=True):
        if name.startswith("{"):
            arguments[name[1:-1]] = part
        elif name != part.lower():
            return None
    return arguments
