"""The templates in infra/, parsed: resources with their bodies, as written.

The parser does not tell text from a name: ``'eu'`` and ``eu`` are both ``"eu"``. What matters is looked up among the
names of the file.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pycep import BicepParser

INFRA = Path(__file__).resolve().parents[1] / "infra"
FILES = tuple(sorted(INFRA.rglob("*.bicep")))


@dataclass(frozen=True)
class Resource:
    """``body`` is that of one resource of a loop, and what is in a condition; ``over`` what the loop goes over."""

    file: str
    symbol: str
    type: str
    version: str
    existing: bool
    conditional: bool
    over: Any
    body: dict[str, Any]

    @property
    def id(self) -> str:
        return f"{self.file}:{self.symbol}"


@cache
def parsed(file: Path) -> dict[str, Any]:
    document: dict[str, Any] = BicepParser().parse(text=file.read_text(encoding="utf-8"))
    return document


def resources(*, existing: bool = False) -> list[Resource]:
    found = [
        _resource(file, symbol, one) for file in FILES for symbol, one in parsed(file).get("resources", {}).items()
    ]
    return [one for one in found if one.existing == existing]


def of_type(kind: str) -> list[Resource]:
    return [one for one in resources() if one.type == kind]


def the(kind: str) -> Resource:
    """The only one of its type."""
    (one,) = of_type(kind)
    return one


def names_in(file: str) -> set[str]:
    """What a bare word in the file can refer to: parameters and variables."""
    document = parsed(INFRA / file)
    return set(document.get("parameters", {})) | set(document.get("variables", {}))


def variable(file: str, name: str) -> Any:
    return parsed(INFRA / file)["variables"][name]["value"]


def choice(value: Any) -> tuple[Any, Any, Any]:
    """Condition, then and else of ``condition ? then : else``."""
    operands = value["operator"]["operands"]
    return operands["condition"], operands["true_value"], operands["false_value"]


def walk(value: Any) -> Iterator[Any]:
    """Everything inside a value."""
    yield value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from walk(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from walk(inner)


def is_expression(value: Any) -> bool:
    """Something that is computed: a function or an operator."""
    return isinstance(value, dict) and set(value) in ({"function"}, {"operator"})


def _resource(file: Path, symbol: str, one: dict[str, Any]) -> Resource:
    body, conditional, over = one["config"], False, None
    while "config" in body:
        conditional = conditional or body.get("condition") is not None
        over = body.get("loop_type", {}).get("detail", {}).get("array_name", over)
        body = body["config"]
    return Resource(
        file=str(file.relative_to(INFRA)),
        symbol=symbol,
        type=one["type"],
        version=one["api_version"],
        existing=one["existing"],
        conditional=conditional,
        over=over,
        body=body,
    )
