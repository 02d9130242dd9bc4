"""Names and cells that somebody made to do harm, or that are only long: they are shown as text."""

import re

import pytest
from console_app import ConsoleApp
from console_browser import Visit
from playwright.sync_api import Page, expect
from world import World, csv_rows, person

from shared.catalog.documents import Connection

pytest_plugins = ["console_fixtures"]
pytestmark = pytest.mark.slow

MARKUP = "<img src=x onerror=\"document.body.dataset.harmed='yes'\">"
HOSTILE = {
    "markup": MARKUP,
    "script": "</script><script>document.body.dataset.harmed='yes'</script>",
    "right to left": "\u202egnp.exe\u202c שם של קהל",
    "long": "W" * 200,
    "template": "{base} ${name} {{role}}",
}


@pytest.fixture(scope="module", autouse=True)
def hostile(console: ConsoleApp) -> World:
    """Everything that has a name has a hostile one, and so has every cell."""
    world = console.world
    world.control("POST", "fields", {"list_id": world.list_id, "fields": [{"name": MARKUP[:80]}]})
    world.control("POST", "lists", {"client_id": f"client-{world.list_id}", "title": MARKUP})
    names = list(HOSTILE.values())
    people = [person(number, FirstName=name[:120], City=name[:200]) for number, name in enumerate(names)]
    world.put_rows(csv_rows(*people, person(100, CustomerId=MARKUP, EMail=MARKUP)))
    for number, name in enumerate(names):
        connection = world.app.catalog.connection(world.save(id=f"e-{number}", display_name=name).connection or "")
        world.app.catalog.save(Connection.model_validate(connection.model_dump() | {"display_name": name[:200]}))
    return world


def unharmed(page: Page) -> None:
    assert page.evaluate("document.body.dataset.harmed") is None
    assert page.locator("main img").count() == 0
    # Nothing sticks out of the page.
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize(
    "path", ["/", "/exports/e-0", "/exports/e-3", "/exports/e-3/edit", "/connections", "/new-export"]
)
def test_a_page_shows_them_as_text(visit: Visit, path: str, width: int) -> None:
    page = visit(path, viewport={"width": width, "height": 800})
    page.wait_for_load_state("networkidle")
    unharmed(page)


def test_each_name_stands_there_as_it_is(visit: Visit) -> None:
    page = visit("/")
    for name in HOSTILE.values():
        expect(page.get_by_role("link", name=name, exact=True)).to_have_text(name)


def test_cells_are_text_in_the_preview_and_in_the_rejects(console: ConsoleApp, visit: Visit) -> None:
    page = visit("/exports/e-0/edit")
    preview = page.get_by_role("table", name="The first subscribers")
    expect(preview).to_contain_text("<img src=x")
    unharmed(page)

    page.goto("/console/exports/e-0")
    page.get_by_role("button", name="Run now").click()
    expect(page.get_by_role("row").nth(1)).to_contain_text("Done, with rejects")
    page.get_by_role("row").nth(1).get_by_role("link").click()
    page.get_by_text("EMail is not an email address.").click()
    expect(page.get_by_role("cell", name=MARKUP)).to_be_visible()
    unharmed(page)


def test_addresses_are_masked_until_they_are_asked_for(console: ConsoleApp, visit: Visit) -> None:
    world = console.world
    world.put_rows(csv_rows(person(1), person(2, EMail="user1@example.com")), at="2026/11/23/1000")
    world.save(id="e-masked")
    page = visit("/exports/e-masked")
    page.get_by_role("button", name="Run now").click()
    expect(page.get_by_role("row").nth(1)).to_contain_text("Done, with rejects")
    page.get_by_role("row").nth(1).get_by_role("link").click()
    page.get_by_text(re.compile("An earlier row has the same email address")).click()
    expect(page.get_by_role("cell", name="u***@e***.com")).to_be_visible()
    assert "user1@example.com" not in page.content()

    page.get_by_role("button", name="Show addresses").click()
    expect(page.get_by_role("cell", name="user1@example.com")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    assert b"user1@example.com" in download.value.path().read_bytes()
    page.get_by_role("button", name="Mask addresses").click()
    expect(page.get_by_role("cell", name="u***@e***.com")).to_be_visible()
