"""The three functions as Azure sees them: folders, bindings, host.json, and what may be imported where."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.host.settings import read_host_options
from local.host.timer import Schedule
from shared.parts import App
from shared.runs import worker

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = sorted(path.parent for path in ROOT.glob("*/function.json"))


def bindings() -> Iterator[dict[str, Any]]:
    for folder in FOLDERS:
        yield from json.loads((folder / "function.json").read_text())["bindings"]


def sources() -> Iterator[Path]:
    """What is deployed."""
    for folder in (*FOLDERS, ROOT / "shared"):
        yield from folder.rglob("*.py")


def imports(source: Path) -> Iterator[str]:
    """The names of the modules that a file imports; a relative one begins with a dot."""
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from (f"{module}.{alias.name}" for alias in node.names)


def test_the_queue_gives_one_message_at_a_time_and_five_times_at_most() -> None:
    queues = read_host_options(ROOT).queues
    assert (queues.batch_size, queues.new_batch_threshold) == (1, 0)
    assert queues.max_dequeue_count == worker.MOST_DELIVERIES == 5
    assert queues.message_encoding == "base64"
    # At zero a step that fails would be through its deliveries before anything could have got better.
    assert queues.visibility_timeout >= 10


def test_an_invocation_hands_over_before_the_platform_ends_it() -> None:
    timeout = read_host_options(ROOT).function_timeout
    assert timeout
    # The calls in flight, with all their attempts, come on top.
    assert App.invocation_seconds + 600 <= timeout


def test_the_folders_are_functions_of_the_first_programming_model() -> None:
    assert [folder.name for folder in FOLDERS] == ["Console", "ExportHttp", "ExportTimer", "ExportWorker"]
    assert not (ROOT / "function_app.py").exists()


@pytest.mark.parametrize("binding", list(bindings()), ids=lambda binding: binding["name"])
def test_a_binding_has_a_name_that_the_host_takes(binding: dict[str, Any]) -> None:
    assert re.fullmatch(r"[a-zA-Z][a-zA-Z0-9]{0,127}|\$return", binding["name"])


def test_triggers_are_bound_to_the_settings() -> None:
    by_type = {binding["type"]: binding for binding in bindings()}
    assert by_type["queueTrigger"]["queueName"] == "%EXPORT_QUEUE%"
    assert by_type["queueTrigger"]["connection"] == "ExportStorage"
    assert by_type["timerTrigger"]["schedule"] == "%EXPORT_SCHEDULE%"
    assert by_type["timerTrigger"]["runOnStartup"] is False
    assert by_type["httpTrigger"]["authLevel"] == "function"
    assert by_type["httpTrigger"]["route"] == "api/{*path}"
    assert read_host_options(ROOT).route_prefix == ""


def test_the_schedule_of_the_example_has_six_fields_and_is_no_second_of_each_minute() -> None:
    values = json.loads((ROOT / "local.settings.example.json").read_text())["Values"]
    assert len(values["EXPORT_SCHEDULE"].split()) == 6
    Schedule(values["EXPORT_SCHEDULE"])


def test_only_the_function_folders_know_azure_functions() -> None:
    knowing = {path for path in sources() if any(name.startswith("azure.functions") for name in imports(path))}
    assert knowing == {folder / "__init__.py" for folder in FOLDERS}


@pytest.mark.parametrize(
    ("outside", "rooms"),
    [
        ("azure.core", {"azure"}),
        ("azure.identity", {"azure"}),
        ("azure.keyvault", {"azure"}),
        ("azure.storage", {"azure"}),
        ("requests", {"campaign_monitor"}),
        ("duckdb", {"record"}),
        ("threading", {"azure"}),
        ("time", {"azure"}),
        ("concurrent.futures", {"azure"}),
        ("secrets", {"shared", "ports"}),
    ],
)
def test_what_is_outside_is_known_to_the_room_that_keeps_its_port(outside: str, rooms: set[str]) -> None:
    ours = [path for path in sources() if path.parts[-3:-1] != ("shared",) and ROOT / "shared" in path.parents]
    knowing = {path.parent.name for path in ours if any(f"{name}.".startswith(f"{outside}.") for name in imports(path))}
    assert knowing == rooms


def test_nobody_but_the_clock_reads_the_time() -> None:
    reading = {path.name for path in sources() if re.search(r"date(time)?\.(now|today|utcnow)\(", path.read_text())}
    assert reading == {"system_clock.py"}


def test_imports_are_absolute() -> None:
    """The worker loads a folder as __app__.<folder>: a relative import would load a second copy of everything."""
    found = [(path.name, name) for path in sources() for name in imports(path) if name.startswith((".", "__app__"))]
    assert found == []


LOAD = """
import os, sys
sys.path.append(os.getcwd())
from azure_functions_runtime_v1 import loader
from azure_functions_runtime_v1.bindings.meta import load_binding_registry
before = set(sys.modules)
load_binding_registry()
loader.install()
for name in sys.argv[1].split(","):
    loader.load_function(name, os.path.join(os.getcwd(), name), os.path.join(os.getcwd(), name, "__init__.py"), "main")
print(*sorted(set(sys.modules) - before))
"""


def loaded(*functions: str) -> set[str]:
    """The modules that the worker library has after loading these functions in a fresh interpreter."""
    command = [sys.executable, "-c", LOAD, ",".join(functions)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


@pytest.mark.slow
def test_shared_is_there_once_for_all_functions() -> None:
    modules = loaded("ExportHttp", "ExportTimer", "ExportWorker")
    assert {"__app__.ExportHttp", "__app__.ExportTimer", "__app__.ExportWorker", "shared.runs.start"} <= modules
    assert not {name for name in modules if name.startswith("__app__.shared")}


@pytest.mark.slow
def test_the_http_function_starts_without_what_only_steps_need() -> None:
    modules = loaded("ExportHttp")
    assert "shared.web.api" in modules
    assert "duckdb" not in modules
