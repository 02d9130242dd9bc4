"""Each role sees what it may and no more; and what the page hides the API refuses."""

import re
from typing import Any

import pytest
from console_app import ConsoleApp
from console_browser import Visit
from playwright.sync_api import expect
from world import csv_rows, person

from shared.catalog.documents import Connection, Export

pytest_plugins = ["console_fixtures"]
pytestmark = pytest.mark.slow

AGREED = {"agreed_by": "jane@contoso.example", "agreed_at": "2026-11-23T09:00:00Z"}


@pytest.fixture(autouse=True)
def two_exports(console: ConsoleApp) -> None:
    """One through a connection that is shared with contributors, one through another."""
    world = console.world
    world.put_rows(csv_rows(person(1)))
    world.save()
    for name, usable_by in (("shared", "contributors"), ("private", "admins")):
        connection = {
            "id": name,
            "display_name": f"The {name} account",
            "secret_name": world.secret,
            "usable_by": usable_by,
            "consent": AGREED,
        }
        world.app.catalog.save(Connection.model_validate(connection))
        export: dict[str, Any] = world.app.catalog.export(f"e-{world.id}").model_dump(mode="json")
        changes = {"id": f"e-{name}", "display_name": f"The {name} export", "connection": name, "saved": None}
        world.app.catalog.save(Export.model_validate(export | changes))


@pytest.mark.parametrize(
    ("role", "places", "new", "run_shared", "run_private"),
    [
        ("Exports.Admin", ["Exports", "Connections"], 1, 1, 1),
        ("Exports.Contributor", ["Exports"], 1, 1, 0),
        ("Exports.Viewer", ["Exports"], 0, 0, 0),
    ],
)
def test_the_page_offers_what_the_role_may_do(
    console: ConsoleApp, visit: Visit, role: str, places: list[str], new: int, run_shared: int, run_private: int
) -> None:
    page = visit("/", role=role)

    expect(page.get_by_role("link", name="The shared export")).to_be_visible()
    expect(page.get_by_role("link", name="The private export")).to_be_visible()
    assert page.get_by_role("navigation", name="Places").get_by_role("link").all_inner_texts() == places
    expect(page.get_by_role("link", name="New export")).to_have_count(new)
    expect(page.get_by_role("button", name="Run now: The shared export")).to_have_count(run_shared)
    expect(page.get_by_role("button", name="Run now: The private export")).to_have_count(run_private)


def test_a_contributor_chooses_among_what_is_shared(visit: Visit) -> None:
    page = visit("/new-export", role="Exports.Contributor")
    expect(page.get_by_role("radio", name=re.compile("The shared account"))).to_be_visible()
    expect(page.get_by_text("The private account")).to_have_count(0)


@pytest.mark.parametrize(
    ("role", "path", "said"),
    [
        ("Exports.Contributor", "/connections", "Connections are for administrators"),
        ("Exports.Contributor", "/new-connection", "Connections are for administrators"),
        ("Exports.Viewer", "/connections/shared/edit", "Connections are for administrators"),
        ("Exports.Viewer", "/new-export", "Exports are set up by contributors"),
        ("Exports.Viewer", "/exports/e-shared/edit", "Exports are set up by contributors"),
    ],
)
def test_an_address_that_is_not_for_the_role_says_so(visit: Visit, role: str, path: str, said: str) -> None:
    expect(visit(path, role=role).get_by_role("heading", name=said)).to_be_visible()


@pytest.mark.parametrize(
    ("role", "method", "path", "status"),
    [
        ("Exports.Viewer", "POST", "/exports/e-shared/runs", 403),
        ("Exports.Viewer", "DELETE", "/exports/e-shared", 403),
        ("Exports.Viewer", "POST", "/exports/e-shared/check", 403),
        ("Exports.Viewer", "GET", "/connections", 403),
        ("Exports.Contributor", "POST", "/exports/e-private/runs", 403),
        ("Exports.Contributor", "DELETE", "/exports/e-private", 403),
        ("Exports.Contributor", "GET", "/connections/private", 404),
        ("Exports.Contributor", "POST", "/connections/shared/check", 403),
        ("Exports.Contributor", "DELETE", "/connections/shared", 403),
    ],
)
def test_what_the_page_hides_the_api_refuses(
    console: ConsoleApp, role: str, method: str, path: str, status: int
) -> None:
    answer = console.person(role).request(method, f"{console.url}/console/api{path}", timeout=30)
    assert answer.status_code == status
    assert answer.json()["detail"]


def test_some_exports_are_looked_up_by_their_ids(console: ConsoleApp) -> None:
    viewer = console.person("Exports.Viewer")

    found = viewer.get(f"{console.url}/console/api/exports?id=e-shared&id=gone&id=e-shared", timeout=30).json()
    fast = viewer.get(f"{console.url}/console/api/exports?runs=false", timeout=30).json()

    assert [one["id"] for one in found] == ["e-shared"]
    assert {"e-shared", "e-private"} < {one["id"] for one in fast}


def test_connections_are_listed_shared_and_taken_away(console: ConsoleApp, visit: Visit) -> None:
    page = visit("/connections")
    line = page.get_by_role("row").filter(has_text="The private account")
    expect(line).to_contain_text("Administrators")
    expect(line).to_contain_text("e-private")
    line.get_by_role("button", name="Check: The private account").click()
    expect(page.get_by_role("heading", name="The connection works")).to_be_visible()
    page.get_by_role("button", name="Close").click()

    line.get_by_role("button", name="More for The private account").click()
    page.get_by_role("menuitem", name="Remove").click()
    expect(page.get_by_role("dialog")).to_contain_text("1 export uses it: e-private")
    page.get_by_role("radio", name=re.compile("Detach them")).check()
    page.get_by_role("button", name="Remove the connection").click()

    expect(page.get_by_text("The private account is removed.").first).to_be_visible()
    expect(line).to_have_count(0)
    assert console.world.app.catalog.export("e-private").connection is None
    page.get_by_role("link", name="Exports").first.click()
    expect(page.get_by_role("row").filter(has_text="The private export")).to_contain_text("Does not run: no connection")
