"""HTTP functions of the local host: what reaches the function, what comes back, who gets which call."""

import threading
from collections.abc import Iterator

import pytest
import requests
from toy_functions import HTTP_OUT, ToyApp, http_trigger

from local.host.process import HostProcess

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> ToyApp:
    app = ToyApp(tmp_path_factory.mktemp("http"))
    app.function(
        "Echo",
        http_trigger(route="echo/{name}/{number:int?}", methods=["get", "post"]),
        HTTP_OUT,
        code="""
            import json

            def main(req: func.HttpRequest) -> func.HttpResponse:
                logging.info("echoing")
                print("printed by Echo", flush=True)
                seen = {"method": req.method, "url": req.url, "route": dict(req.route_params),
                        "query": dict(req.params), "header": req.headers.get("X-Toy"),
                        "body": req.get_body().decode()}
                return func.HttpResponse(json.dumps(seen), status_code=201, mimetype="application/json",
                                         headers={"X-Answer": "yes"})
        """,
    )
    app.function(
        "Rest",
        http_trigger(route="{*path}"),
        HTTP_OUT,
        code="""
            async def main(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
                if req.route_params.get("path") == "boom":
                    raise ValueError("a toy exception")
                return func.HttpResponse(bytes([0, 255]), headers={"X-Function": context.function_name,
                                                                   "Set-Cookie": "toy=duck; Path=/"})
        """,
    )
    app.function(
        "Meet",
        http_trigger(route="meet"),
        HTTP_OUT,
        code="""
            import threading
            both = threading.Barrier(2, timeout=10)

            def main(req: func.HttpRequest) -> str:
                both.wait()
                return "met"
        """,
    )
    (app.root / "iniconfig.py").write_text("")
    app.function(
        "Where",
        http_trigger(route="where"),
        HTTP_OUT,
        code="""
            import iniconfig

            def main(req: func.HttpRequest) -> str:
                return iniconfig.__file__
        """,
    )
    return app


@pytest.fixture(scope="module")
def host(app: ToyApp) -> Iterator[HostProcess]:
    with HostProcess(app.root, log=app.log) as host:
        yield host


def test_a_request_reaches_the_function_as_in_azure(host: HostProcess) -> None:
    answer = requests.post(
        f"{host.url}/api/echo/a%20b/7?x=1&x=2&empty=", data="text", headers={"X-Toy": "duck"}, timeout=10
    )

    assert answer.status_code == 201
    assert answer.headers["X-Answer"] == "yes"
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == {
        "method": "POST",
        "url": f"{host.url}/api/echo/a%20b/7?x=1&x=2&empty=",
        "route": {"name": "a b", "number": "7"},
        "query": {"x": "1,2"},
        "header": "duck",
        "body": "text",
    }


def test_an_optional_route_parameter_may_be_left_out(host: HostProcess) -> None:
    assert requests.get(f"{host.url}/api/echo/a", timeout=10).json()["route"] == {"name": "a"}


@pytest.mark.parametrize(("method", "path"), [("GET", "echo/a/b"), ("DELETE", "echo/a"), ("GET", "")])
def test_what_the_narrow_route_does_not_take_goes_to_the_catch_all(host: HostProcess, method: str, path: str) -> None:
    answer = requests.request(method, f"{host.url}/api/{path}", timeout=10)

    assert answer.headers["X-Function"] == "Rest"
    assert answer.content == b"\x00\xff"


def test_a_cookie_comes_back(host: HostProcess) -> None:
    assert requests.get(f"{host.url}/api/cookie", timeout=10).headers["Set-Cookie"] == "toy=duck; Path=/"


def test_no_route_is_404(host: HostProcess) -> None:
    assert requests.get(f"{host.url}/elsewhere", timeout=10).status_code == 404


def test_an_exception_is_an_empty_500_and_its_traceback_is_in_the_log(host: HostProcess, app: ToyApp) -> None:
    answer = requests.get(f"{host.url}/api/boom", timeout=10)

    assert (answer.status_code, answer.content) == (500, b"")
    log = app.log.read_text()
    assert "ValueError: a toy exception" in log
    assert "INFO host: Rest " in log and " failed in " in log


def test_what_the_function_logs_and_prints_is_in_the_log(host: HostProcess, app: ToyApp) -> None:
    requests.get(f"{host.url}/api/echo/log", timeout=10)

    log = app.log.read_text()
    assert "INFO root: echoing" in log
    assert "printed by Echo" in log


def test_two_requests_run_at_the_same_time(host: HostProcess) -> None:
    answers: list[str] = []
    callers = [
        threading.Thread(target=lambda: answers.append(requests.get(f"{host.url}/api/meet", timeout=10).text))
        for _ in range(2)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()

    assert answers == ["met", "met"]


def test_the_functions_are_listed(host: HostProcess) -> None:
    listed = requests.get(f"{host.url}/admin/functions", timeout=10).json()

    assert [each["name"] for each in listed] == ["Echo", "Meet", "Rest", "Where"]
    assert listed[2]["config"]["bindings"][0]["route"] == "{*path}"


def test_the_root_of_the_app_is_searched_last(host: HostProcess) -> None:
    """Azure puts installed packages first: an app module named like one of them is hidden, and must be hidden here."""
    assert requests.get(f"{host.url}/api/where", timeout=10).text.endswith("site-packages/iniconfig/__init__.py")
