"""The door of the console: whom it lets in, as whom, and what it asks of those who want to change something."""

import base64
from collections.abc import Iterator

import pytest
import requests
from console_app import SAME_ORIGIN, ConsoleApp, console_app, principal
from world import World

from local.azurite import Azurite
from local.standin import StandIn
from shared.web.sign_in import HEADER, signed_in

MAPPED_ROLES = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"
JANE = ("name", "Jane")


@pytest.fixture(scope="module")
def app(azurite: Azurite, campaign_monitor: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleApp]:
    world = World(azurite.connection_string, campaign_monitor.url)
    with console_app(world, tmp_path_factory.mktemp("console") / "host.log") as running:
        yield running


@pytest.fixture(scope="module")
def unguarded(
    azurite: Azurite, campaign_monitor: StandIn, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ConsoleApp]:
    """The same app without the setting: in Azure, without authentication in front of it."""
    world = World(azurite.connection_string, campaign_monitor.url)
    with console_app(world, tmp_path_factory.mktemp("console") / "host.log", REQUIRE_SIGN_IN="") as running:
        yield running


@pytest.mark.parametrize(
    ("claims", "role_typ", "role"),
    [
        ([("roles", "Exports.Viewer")], "roles", "viewer"),
        ([("roles", "Exports.Contributor")], "roles", "contributor"),
        ([("roles", "Exports.Admin")], "roles", "admin"),
        ([("roles", "Exports.Viewer"), ("roles", "Exports.Admin")], "roles", "admin"),
        ([(MAPPED_ROLES, "Exports.Admin")], MAPPED_ROLES, "admin"),
        ([("roles", "Exports.Admin")], MAPPED_ROLES, "admin"),
        ([(MAPPED_ROLES, "Exports.Admin")], "roles", None),
        ([("roles", "exports.admin")], "roles", None),
        ([("roles", "Other.Admin")], "roles", None),
        ([("groups", "Exports.Admin")], "roles", None),
        ([], "roles", None),
    ],
)
def test_the_role_is_that_of_the_app_roles(claims: list[tuple[str, str]], role_typ: str, role: str | None) -> None:
    person = signed_in({HEADER: principal(JANE, *claims, role_typ=role_typ)})
    assert person
    assert (person.name, person.role) == ("Jane", role)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Jane",
        "é",
        base64.b64encode(b"\xff").decode(),
        base64.b64encode(b"[]").decode(),
        base64.b64encode(b'{"claims": {"typ": "roles"}}').decode(),
        principal(("roles", "Exports.Admin")),
        principal(("name", " "), ("roles", "Exports.Admin")),
    ],
)
def test_a_header_that_names_nobody_is_nobodys(header: str) -> None:
    assert signed_in({HEADER: header}) is None


@pytest.mark.slow
@pytest.mark.parametrize("path", ["", "/", "/exports", "/static/x/main.js", "/api/exports", "/api/no-such"])
def test_without_the_setting_the_door_is_shut_whatever_a_header_says(unguarded: ConsoleApp, path: str) -> None:
    forged = {HEADER: principal(JANE, ("roles", "Exports.Admin"))}

    answer = requests.get(f"{unguarded.url}/console{path}", headers=forged, timeout=30)

    assert answer.status_code == 403
    assert "REQUIRE_SIGN_IN" in answer.text
    assert "App Service authentication" in answer.text


@pytest.mark.slow
@pytest.mark.parametrize("path", ["", "/", "/exports", "/static/x/main.js", "/api/exports", "/api/no-such"])
def test_who_has_not_signed_in_gets_nothing(app: ConsoleApp, path: str) -> None:
    forged = {HEADER: principal(JANE, ("roles", "Exports.Admin"))}

    answer = requests.get(f"{app.url}/console{path}", headers=forged, timeout=30, allow_redirects=False)

    assert answer.status_code == 401
    if "/api" in path:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["code"] == "not_signed_in"
    else:
        assert f'<a href="/.auth/login/aad?post_login_redirect_uri=/console{path}">Sign in</a>' in answer.text


@pytest.mark.slow
def test_who_has_no_role_is_told_whom_to_ask(app: ConsoleApp) -> None:
    nobody = app.person(role="", name="<img src=x onerror=alert(1)>")

    page = nobody.get(f"{app.url}/console/", timeout=30)
    below = nobody.get(f"{app.url}/console/api/exports", timeout=30)

    assert page.status_code == below.status_code == 403
    assert "Exports.Viewer" in page.text
    assert "<img" not in page.text
    assert below.json()["code"] == "no_role"


@pytest.mark.slow
def test_the_page_and_the_api_are_there_for_those_who_have_one(app: ConsoleApp) -> None:
    viewer = app.person("Exports.Viewer")

    page = viewer.get(f"{app.url}/console", timeout=30)

    assert page.status_code == 200
    assert page.url.endswith("/console/")
    assert page.headers["Content-Type"].startswith("text/html")
    assert viewer.get(f"{app.url}/console/exports/any-export", timeout=30).text == page.text
    assert viewer.get(f"{app.url}/console/api/exports", timeout=30).json() is not None


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/", "/static/none", "/api/exports"])
def test_a_browser_is_told_to_load_and_run_nothing_from_elsewhere(app: ConsoleApp, path: str) -> None:
    headers = app.person().get(f"{app.url}/console{path}", timeout=30).headers

    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [
        "static/../../host.json",
        "static/..%2f..%2fhost.json",
        "static/%2e%2e/%2e%2e/host.json",
        "static//etc/passwd",
        "static/0000000000000000/main.js",
        "static/index.html",
    ],
)
def test_only_files_of_the_console_are_served(app: ConsoleApp, path: str) -> None:
    person = app.person()
    # As it stands: requests would resolve the dots.
    request = requests.Request("GET", f"{app.url}/console/x", cookies=person.cookies).prepare()
    request.url = f"{app.url}/console/{path}"

    answer = person.send(request, timeout=30)

    assert answer.status_code == 404 or "<title>" in answer.text
    assert "extensionBundle" not in answer.text
    assert "root:" not in answer.text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("headers", "welcome"),
    [
        (SAME_ORIGIN, True),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Origin": "{url}"}, True),
        ({"Origin": "https://contoso.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "{url}", "Sec-Fetch-Site": "cross-site"}, False),
        ({}, False),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_change_must_come_from_the_consoles_own_pages(
    app: ConsoleApp, method: str, headers: dict[str, str], welcome: bool
) -> None:
    person = app.person()
    del person.headers["Sec-Fetch-Site"]
    sent = {name: value.replace("{url}", app.url) for name, value in headers.items()}

    answer = person.request(method, f"{app.url}/console/api/no-such", headers=sent, timeout=30)

    assert answer.status_code == (404 if welcome else 403)
    assert welcome or answer.json()["code"] == "other_origin"


@pytest.mark.slow
def test_signing_out_ends_it(app: ConsoleApp) -> None:
    person = app.person()
    person.get(f"{app.url}/.auth/logout", timeout=30)
    assert person.get(f"{app.url}/console/", timeout=30).status_code == 401


@pytest.mark.slow
def test_the_local_sign_in_leads_nowhere_else(app: ConsoleApp) -> None:
    for target in ("https://contoso.example/", "//contoso.example/", "javascript:alert(1)"):
        answer = requests.post(
            f"{app.url}/.auth/login/aad",
            params={"post_login_redirect_uri": target},
            data={"name": "Jane", "role": "Exports.Viewer"},
            allow_redirects=False,
            timeout=30,
        )
        assert answer.headers["Location"] == "/console/"
