"""The plan of the house is true: every file that it names is there, and every room is in it and on its floor."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SHARED = ROOT / "shared"
PLAN = (ROOT / "docs" / "architecture.md").read_text()
ROOMS = {path.parent.name for path in SHARED.glob("*/__init__.py")}


def test_every_file_that_the_plan_names_is_there() -> None:
    named = set(re.findall(r"`((?:[a-z_]+/)?[a-z_]+\.py)`", PLAN))
    assert len(named) > 30
    assert {name for name in named if not (SHARED / name).exists()} == set()


def test_every_room_has_its_paragraph_and_says_what_it_is_for() -> None:
    assert set(re.findall(r"^\* \*\*([a-z_]+)\*\*: ", PLAN, re.MULTILINE)) == ROOMS
    assert all(len((SHARED / room / "__init__.py").read_text()) > 60 for room in ROOMS)


def test_every_file_stands_in_a_room_or_on_a_floor_of_its_own() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    floors = {
        part.strip().removeprefix("shared.")
        for contract in contracts
        if contract["type"] == "layers"
        for floor in contract["layers"]
        for part in floor.split("|")
    }
    beside = {"azure", "campaign_monitor"}
    assert floors | beside == ROOMS | {path.stem for path in SHARED.glob("*.py")} - {"__init__"}


def test_no_two_files_of_a_room_could_be_mistaken_for_each_other() -> None:
    """Names that differ by an ending alone: plan and planning, leavers and leaving."""
    for room in ROOMS:
        stems = sorted(re.sub(r"(s|ing|ed|er|ation)$", "", path.stem) for path in (SHARED / room).glob("[a-z]*.py"))
        assert len(stems) == len(set(stems)), room


# What the rest reaches through a port, and who stands behind it.
OUTSIDE = {
    "azure": {"azure"},
    "requests": {"campaign_monitor"},
    "tenacity": {"campaign_monitor"},
    "threading": {"azure"},
    "concurrent": {"azure"},
    "multiprocessing": set[str](),
    "asyncio": set[str](),
    "queue": set[str](),
    "time": {"azure"},
    "urllib.request": set[str](),
    "http.client": set[str](),
    "socket": set[str](),
}
# Nobody else asks a clock, neither Python's nor the database's.
CLOCKS = re.compile(
    r"\.(now|utcnow|today)\((UTC|timezone\.utc)?\)|\b(current_timestamp|current_date|now\(\))", re.IGNORECASE
)


def test_the_outside_is_reached_through_ports_alone() -> None:
    reached = {
        (package, path.relative_to(SHARED).as_posix())
        for path in SHARED.rglob("*.py")
        for name in _imported(ast.parse(path.read_text()))
        for package, behind in OUTSIDE.items()
        if f"{name}.".startswith(f"{package}.") and path.parent.name not in behind
    }
    assert reached == set()


def test_the_clock_is_asked_through_its_port_alone() -> None:
    asked = {
        (path.relative_to(SHARED).as_posix(), found[0])
        for path in SHARED.rglob("*.py")
        for found in CLOCKS.finditer(path.read_text())
        if path.name != "system_clock.py" and "clock.now()" not in path.read_text()[found.start() - 5 : found.end()]
    }
    assert asked == set()


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
