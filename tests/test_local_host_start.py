"""What keeps the local host from starting: one sentence that says which function and why, and a failed exit."""

import os
import signal
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from toy_functions import HTTP_OUT, ToyApp, eventually, http_trigger, queue_trigger, timer_trigger

from local.host.errors import EXIT_STOPPED, CannotStartError
from local.host.functions import read_functions
from local.host.process import HostFailedError, HostProcess
from local.host.routes import routes_of
from local.host.settings import load_settings, read_host_options, seconds

OK = "def main(req): return 'ok'"


@pytest.fixture
def app(tmp_path: Path) -> ToyApp:
    return ToyApp(tmp_path)


def refusal(app: ToyApp) -> str:
    """The last line that the process wrote before it ended."""
    with pytest.raises(HostFailedError, match="exit code 1 "):
        HostProcess(app.root, log=app.log)
    return app.log.read_text().splitlines()[-1]


@pytest.mark.slow
def test_a_parameter_that_is_no_binding(app: ToyApp) -> None:
    app.function("Toy", http_trigger(), HTTP_OUT, code="def main(request): return 'ok'")
    assert "host: Toy cannot load: " in (said := refusal(app))
    assert "not in function.json: {'request'}" in said


@pytest.mark.slow
def test_an_import_that_fails_shows_where(app: ToyApp) -> None:
    app.function("Toy", http_trigger(), HTTP_OUT, code="import no_such_module")
    assert "host: Toy cannot load: ModuleNotFoundError: No module named 'no_such_module'" in refusal(app)
    assert 'Toy/__init__.py", line' in app.log.read_text()


@pytest.mark.slow
def test_a_setting_that_is_not_there(app: ToyApp) -> None:
    app.function("Toy", timer_trigger("%TOY_SCHEDULE%"), code="def main(timer): pass")
    said = refusal(app)
    assert said == "host: Toy/function.json needs the application setting TOY_SCHEDULE, which is not set."


@pytest.mark.slow
def test_a_connection_that_is_not_there(app: ToyApp) -> None:
    app.function("Toy", queue_trigger(connection="NoStorage"), code="def main(message): pass")
    assert "The application setting NoStorage (or NoStorage__queueServiceUri) is needed" in refusal(app)


@pytest.mark.slow
def test_the_settings_file_is_read_and_the_environment_goes_before_it(app: ToyApp) -> None:
    code = """
        def main(req: func.HttpRequest) -> str:
            return " ".join(os.environ[name] for name in ("TOY_A", "TOY_B", "AZURE_FUNCTIONS_ENVIRONMENT"))
    """
    app.function("Toy", http_trigger(), HTTP_OUT, code=code)
    file = app.root / "local.settings.json"
    file.write_text('{"IsEncrypted": false, "Values": {"TOY_A": "file", "TOY_B": "file"}}')
    with HostProcess(app.root, settings={"TOY_B": "environment"}, settings_file=file, log=app.log) as host:
        assert requests.get(f"{host.url}/api/Toy", timeout=10).text == "file environment Development"


@pytest.mark.slow
@pytest.mark.parametrize("whole_group", [False, True])
def test_a_stop_while_it_starts_ends_it_at_once(app: ToyApp, whole_group: bool) -> None:
    code = """
        trace(os.getppid())
        time.sleep(60)

        def main(req): return 'ok'
    """
    app.function("Toy", http_trigger(), HTTP_OUT, code=code)
    with ThreadPoolExecutor() as pool:
        starting = pool.submit(HostProcess, app.root, log=app.log)
        (pid,) = eventually(app.traces)
        begun = time.monotonic()
        (os.killpg if whole_group else os.kill)(int(pid), signal.SIGTERM)
        with pytest.raises(HostFailedError, match=f"exit code {EXIT_STOPPED} "):
            starting.result()
    assert time.monotonic() - begun < 10
    assert "ERROR" not in app.log.read_text()


def test_a_setting_that_is_no_string(tmp_path: Path) -> None:
    file = tmp_path / "local.settings.json"
    file.write_text('{"Values": {"TOY": 5}}')
    with pytest.raises(CannotStartError, match="the value of TOY must be a string"):
        load_settings(file)


@pytest.mark.slow
def test_only_the_functions_asked_for_are_loaded(app: ToyApp) -> None:
    app.function("Broken", http_trigger(route="broken"), HTTP_OUT, code="raise ValueError('broken')")
    app.function("Toy", http_trigger(), HTTP_OUT, code=OK)
    with HostProcess(app.root, functions=["Toy"], log=app.log):
        pass

    with pytest.raises(CannotStartError, match="No function folder named None in "):
        read_functions(app.root, ["None"])


@pytest.mark.parametrize(
    ("name", "binding", "reason"),
    [
        ("1st", http_trigger(), "1st is not a function name"),
        ("host", http_trigger(), "host is not a function name"),
        ("Toy", http_trigger() | {"name": "my_req"}, "'my_req' is not a binding name"),
        ("Toy", http_trigger() | {"direction": "sideways"}, "binding req needs a direction"),
        ("Toy", {"type": "queue", "name": "out", "direction": "out"}, "has the type 'queue', which this host"),
        ("Toy", HTTP_OUT, "exactly one trigger"),
    ],
)
def test_a_folder_that_the_functions_host_would_refuse(
    app: ToyApp, name: str, binding: Mapping[str, Any], reason: str
) -> None:
    app.function(name, binding, code=OK)
    with pytest.raises(CannotStartError, match=reason):
        read_functions(app.root, [])


def test_a_script_file_that_is_not_there(app: ToyApp) -> None:
    app.function("Toy", http_trigger(), code=OK, scriptFile="other.py")
    with pytest.raises(CannotStartError, match=r"script file other\.py is not there"):
        read_functions(app.root, [])


@pytest.mark.parametrize(
    ("route", "reason"),
    [
        ("administrators", "must not start with admin"),
        ("toys/{id:even}", "'even' is not known"),
        ("toys/{id=1}", "cannot read the route segment"),
    ],
)
def test_a_route_that_cannot_be_served(app: ToyApp, route: str, reason: str) -> None:
    app.function("Toy", http_trigger(route=route), code=OK)
    with pytest.raises(CannotStartError, match=reason):
        routes_of(read_functions(app.root, []), prefix="api")


def test_two_functions_may_share_a_route_but_no_method(app: ToyApp) -> None:
    app.function("Get", http_trigger(route="toys", methods=["get"]), code=OK)
    app.function("Put", http_trigger(route="toys", methods=["put"]), code=OK)
    assert len(routes_of(read_functions(app.root, []), prefix="api")) == 2

    app.function("Any", http_trigger(route="toys"), code=OK)
    with pytest.raises(CannotStartError, match="the same route and a method in common"):
        routes_of(read_functions(app.root, []), prefix="api")


def test_host_json_is_read_with_the_settings_that_go_over_it(app: ToyApp, monkeypatch: pytest.MonkeyPatch) -> None:
    app.host(queues={"maxDequeueCount": 3}, functionTimeout="-1")
    monkeypatch.setenv("AzureFunctionsJobHost__extensions__queues__visibilityTimeout", "00:01:30")

    options = read_host_options(app.root)

    assert options.function_timeout is None
    assert options.queues.max_dequeue_count == 3
    assert options.queues.visibility_timeout == 90


def test_time_spans() -> None:
    assert seconds("1.00:00:01") == 86401
    with pytest.raises(ValueError, match="hh:mm:ss"):
        seconds("30")
