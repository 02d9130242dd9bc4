"""Route templates of function.json, matched as ASP.NET Core matches them, as far as a function app needs them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from local.host.errors import CannotStartError
from local.host.functions import Function

_PARAMETER = re.compile(r"\{(\*?)([A-Za-z_]\w*)(?::([a-z]+))?(\?)?\}")
_CONSTRAINTS = {
    "int": r"-?\d+",
    "alpha": r"[A-Za-z]+",
    "guid": r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
}


@dataclass(frozen=True)
class Route:
    """One HTTP function's address: `methods` in upper case, empty for all."""

    function: Function
    pattern: re.Pattern[str]
    methods: frozenset[str]
    rank: tuple[int, ...]

    def match(self, method: str, path: str) -> Mapping[str, str] | None:
        """The route parameters that are there, or None when the call is not for this function."""
        if self.methods and method not in self.methods:
            return None
        found = self.pattern.fullmatch(path)
        return None if found is None else {name: value for name, value in found.groupdict().items() if value}


def routes_of(functions: Iterable[Function], *, prefix: str) -> list[Route]:
    """The routes of the HTTP functions, literal segments before parameters, those before catch-alls."""
    routes = [_route(function, prefix) for function in functions if function.trigger.type == "httpTrigger"]
    for number, route in enumerate(routes):
        for other in routes[:number]:
            shared_method = not route.methods or not other.methods or route.methods & other.methods
            if shared_method and route.pattern == other.pattern:
                raise CannotStartError(
                    f"{route.function.name} and {other.function.name} have the same route and a method in common."
                )
    return sorted(routes, key=lambda route: route.rank)


def _route(function: Function, prefix: str) -> Route:
    options = function.trigger.options
    template = (options.get("route") or function.name).strip("/")
    # The host compares the beginning of the text, not the first segment: `administrators` is taken too.
    if template.lower().startswith(("admin", "runtime")):
        raise CannotStartError(f"{function.name}: a route must not start with admin or runtime; the host uses them.")
    pattern, rank = "", []
    for segment in f"{prefix}/{template}".strip("/").split("/"):
        expression, weight = _segment(function, segment)
        pattern += expression
        rank.append(weight)
    return Route(
        function=function,
        pattern=re.compile(f"{pattern}/?", re.IGNORECASE),
        methods=frozenset(method.upper() for method in options.get("methods", [])),
        rank=tuple(rank),
    )


def _segment(function: Function, segment: str) -> tuple[str, int]:
    """The expression for one segment with the slash before it, and its weight: the lower, the sooner it is tried."""
    expression, position, optional, catch_all = "", 0, False, False
    for parameter in _PARAMETER.finditer(segment):
        star, name, constraint, question = parameter.groups()
        if constraint and constraint not in _CONSTRAINTS:
            raise CannotStartError(
                f"{function.name}: the route constraint {constraint!r} is not known to this host; it knows "
                f"{', '.join(_CONSTRAINTS)}."
            )
        catch_all, optional = catch_all or bool(star), optional or bool(star or question)
        value = ".*" if star else _CONSTRAINTS.get(constraint, "[^/]+")
        expression += f"{re.escape(segment[position : parameter.start()])}(?P<{name}>{value})"
        position = parameter.end()
    rest = segment[position:]
    if re.search(r"[{}]", rest):
        raise CannotStartError(f"{function.name}: this host cannot read the route segment {segment!r}.")
    expression = f"/{expression}{re.escape(rest)}"
    weight = 3 if catch_all else 2 if optional else 1 if position else 0
    return (f"(?:{expression})?" if optional else expression), weight
