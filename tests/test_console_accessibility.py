"""The console for those who use no mouse or do not see it: axe's rules on each page and theme, and the keyboard."""

import re
from pathlib import Path
from typing import Any

import pytest
from console_app import ConsoleApp
from console_browser import Visit
from playwright.sync_api import Page, expect
from world import csv_rows, person

pytest_plugins = ["console_fixtures"]
pytestmark = pytest.mark.slow

AXE = (Path(__file__).resolve().parents[1] / "node_modules/axe-core/axe.min.js").read_text()
PAGES = {
    "exports": "/",
    "export": "/exports/{export}",
    "run": "/exports/{export}/runs/{run}",
    "failed run": "/exports/{export}/runs/{failed}",
    "set-up": "/exports/{export}/edit",
    "new export": "/new-export",
    "connections": "/connections",
    "connection": "/new-connection",
    "nothing": "/no-such-page",
}


@pytest.fixture(scope="module", autouse=True)
def addresses(console: ConsoleApp) -> dict[str, str]:
    """One export with a good run, and one that failed."""
    world = console.world
    world.put_rows(csv_rows(person(1), person(2, EMail="broken"), person(1)))
    export = world.save(schedule="30 2 * * *")
    good = world.run()
    world.save(mapping={"email": "NoSuchColumn"})
    failed = world.run()
    world.save(schedule="30 2 * * *")
    return {"export": export.id, "run": good.id, "failed": failed.id}


def violations(page: Page) -> list[str]:
    """What axe finds serious or critical: its rule, and where."""
    page.evaluate(AXE)
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {node['html'][:160]} {node['failureSummary']}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious(visit: Visit, addresses: dict[str, str], name: str, scheme: str) -> None:
    page = visit(PAGES[name].format_map(addresses), color_scheme=scheme)
    page.wait_for_load_state("networkidle")
    for summary in page.locator("main details > summary").all():
        summary.click()
    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_a_menu_and_a_dialog(visit: Visit, scheme: str) -> None:
    page = visit("/", color_scheme=scheme)
    page.get_by_role("button", name=re.compile("^More for")).click()
    assert violations(page) == []
    page.get_by_role("menuitem", name="Remove").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert violations(page) == []


def test_the_keyboard_is_enough_to_begin_a_run(visit: Visit) -> None:
    page = visit("/")
    expect(page.get_by_role("button", name=re.compile("^Run now"))).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("searchbox", name="Search exports").focus()
    page.keyboard.type("high")
    more = page.get_by_role("button", name=re.compile("^More for"))
    for _ in range(20):
        page.keyboard.press("Tab")
        if more.evaluate("element => element === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="Dry run")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("menuitem", name="Pause")).to_be_focused()
    page.keyboard.press("Escape")
    expect(more).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator("#live")).to_contain_text("The dry run has begun")


def test_each_page_tells_its_heading_to_who_comes_to_it(visit: Visit) -> None:
    page = visit("/")
    page.get_by_role("link", name="Connections").click()
    heading = page.get_by_role("heading", name="Connections", level=1)
    expect(heading).to_be_focused()
    expect(page).to_have_title("Connections · Segment exports")
    page.go_back()
    expect(page.get_by_role("heading", name="Exports", level=1)).to_be_focused()


def test_times_are_in_the_readers_zone_with_utc_on_hover(visit: Visit) -> None:
    page = visit("/", timezone_id="Asia/Kolkata")
    expect(page.get_by_text("Every day at 08:00")).to_be_visible()
    due = page.get_by_role("row").nth(1).locator("time").first
    expect(due).to_contain_text("08:00")
    expect(due).to_have_attribute("title", re.compile(r"02:30:00 UTC$"))


def test_an_app_that_does_not_answer_is_told_and_asked_again(visit: Visit) -> None:
    page = visit("/connections")
    expect(page.get_by_role("row")).to_have_count(2)
    page.route("**/api/exports?*", lambda route: route.abort())
    page.get_by_role("link", name="Exports").first.click()
    expect(page.get_by_role("alert")).to_contain_text("The app does not answer.")
    page.unroute("**/api/exports?*")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("row")).to_have_count(2)
