"""A run is followed to its end, and one is cancelled, while it is looked at."""

import re
from collections.abc import Iterator

import pytest
from console_app import ConsoleApp
from console_browser import Visit
from playwright.sync_api import Page, expect
from world import csv_rows, person

pytest_plugins = ["console_fixtures"]
pytestmark = pytest.mark.slow


@pytest.fixture
def export(console: ConsoleApp) -> Iterator[str]:
    """12 batches, two at a time, and Campaign Monitor takes a second for each."""
    world = console.world
    world.put_rows(csv_rows(*(person(number) for number in range(12_000))))
    world.control("PUT", "options", {"latency_per_1000": 1.0})
    saved = world.save(mode="everything")
    yield saved.id
    world.control("DELETE", "options")


def row(page: Page):
    return page.get_by_role("row").nth(1)


def test_a_run_is_followed_to_its_end(console: ConsoleApp, export: str, visit: Visit) -> None:
    page = visit("/")
    page.get_by_role("button", name="Run now: High value customers").click()

    bar = page.get_by_role("progressbar", name="Progress of High value customers")
    expect(bar).to_be_visible()
    expect(page.get_by_text(re.compile(r"^\d+ of 12 batches$"))).to_be_visible()
    expect(page.get_by_text(re.compile(r"^[\d,]+ a second$"))).to_be_visible()
    expect(page.get_by_text(re.compile(r" left$"))).to_be_visible()
    # The page is not loaded again: the same row shows the end.
    expect(row(page)).to_contain_text("Succeeded", timeout=30_000)
    expect(row(page).get_by_role("cell").nth(3)).to_have_text("12,000")
    expect(page.locator("#live")).to_contain_text("High value customers: Succeeded. 12,000 subscribers added.")
    expect(page.get_by_role("button", name="Run now: High value customers")).to_be_visible()


def test_a_run_is_cancelled(console: ConsoleApp, export: str, visit: Visit) -> None:
    page = visit(f"/exports/{export}")
    page.get_by_role("button", name="Run now").click()
    expect(page.get_by_text(re.compile(r"^[1-9]\d* of 12 batches$"))).to_be_visible()

    page.get_by_role("button", name="Cancel the run").click()
    page.get_by_role("button", name="Keep").click()
    page.get_by_role("button", name="Cancel the run").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the run").click()

    expect(row(page)).to_contain_text("Cancelled", timeout=30_000)
    row(page).get_by_role("link").click()
    expect(page.get_by_text("Cancelled by jane@contoso.example")).to_be_visible()
    run = next(console.world.app.runs.newest(export))
    assert run.status == "cancelled"
    assert 0 < run.counts.unsent < 12_000


def test_what_goes_wrong_is_told_with_what_to_do(console: ConsoleApp, visit: Visit) -> None:
    world = console.world
    world.put_rows(csv_rows(person(1)))
    saved = world.save(mapping={"email": "NoSuchColumn"})
    page = visit(f"/exports/{saved.id}")
    page.get_by_role("button", name="Run now").click()
    expect(row(page)).to_contain_text("Failed")
    row(page).get_by_role("link").click()

    told = page.locator(".notice.bad")
    expect(told).to_contain_text("has no column NoSuchColumn")
    expect(told).to_contain_text("Correct the mapping")
