"""From an app that has just been deployed to a finished run, by clicks alone."""

import re
import uuid

import pytest
from console_app import ConsoleApp
from console_browser import Visit
from playwright.sync_api import Page, expect
from world import FIELDS, csv_rows, person

pytest_plugins = ["console_fixtures"]
pytestmark = pytest.mark.slow


def add_connection(page: Page, console: ConsoleApp) -> None:
    page.get_by_role("link", name="Connections").first.click()
    page.get_by_role("link", name="New connection").first.click()
    page.get_by_label("Display name").fill("Newsletter, account of Contoso")
    expect(page.get_by_label("Secret name")).to_have_value("campaign-monitor-newsletter-account-of-contoso")
    page.get_by_label("Secret name").fill(console.world.secret)
    expect(page.get_by_label("Command that stores the key")).to_contain_text(
        f"SECRET_KEY_OF_{console.world.id.upper()}"
    )
    page.get_by_role("radio", name=re.compile("Administrators and contributors")).check()
    page.get_by_label("I agree").check()
    page.get_by_role("button", name="Save and check").click()
    expect(page.get_by_text("Saved, and it works.").first).to_be_visible()


def test_from_nothing_to_a_finished_run(console: ConsoleApp, visit: Visit) -> None:
    world = console.world
    bad = [person(9001, EMail="not an address"), person(9002, EMail=""), person(1, City="Elsewhere")]
    world.put_rows(csv_rows(*(person(number) for number in range(1, 121)), *bad))

    page = visit("/")
    expect(page.get_by_text("Set up your first export")).to_be_visible()
    add_connection(page, console)
    page.get_by_role("link", name="Set up an export").click()

    expect(page.get_by_text("Choose a connection first.")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("High value customers")
    page.get_by_role("radio", name=re.compile("Newsletter, account of Contoso")).check()
    page.get_by_role("radio", name="High value customers").check()
    page.get_by_role("checkbox", name=re.compile("HighValueSegment")).check()
    # What is meant is guessed from the names of the columns.
    for target, column in {"Email address": "EMail", "First name": "FirstName", "City": "City"}.items():
        expect(page.get_by_label(target).first).to_have_value(column)
    preview = page.get_by_role("table", name="The first subscribers")
    expect(preview.get_by_role("row")).to_have_count(11)
    expect(preview).to_contain_text("u***@e***.com")
    expect(preview).not_to_contain_text("user1@example.com")
    expect(page.get_by_text("Campaign Monitor accepts the key.")).to_be_visible()
    page.get_by_role("radio", name=re.compile("At set times")).check()
    page.get_by_label("Time", exact=True).fill("06:30")
    expect(page.get_by_text("Every day at 06:30.")).to_be_visible()

    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Saved. It has not run yet.")).to_be_visible()
    assert not list(world.app.runs.ids("high-value-customers"))
    page.get_by_role("button", name="Dry run").click()
    row = page.get_by_role("row").nth(1)
    expect(row).to_contain_text("Done, with rejects")
    expect(row).to_contain_text("dry run")
    assert world.listed() == {}

    page.get_by_role("button", name="Run now").click()
    expect(page.get_by_role("row")).to_have_count(3)
    expect(row).to_contain_text("Done, with rejects")
    expect(row.get_by_role("cell").nth(4)).to_have_text("120")
    assert len(world.listed()) == 120

    row.get_by_role("link").click()
    expect(page.get_by_role("img", name=re.compile("Of 123 rows read, 120: Added to the list"))).to_be_visible()
    expect(page.get_by_text("EMail is not an email address.")).to_be_visible()


def test_a_field_that_the_list_lacks_is_created(console: ConsoleApp, visit: Visit) -> None:
    page = visit("/new-export")
    page.get_by_role("radio", name=re.compile("Newsletter")).check()
    page.get_by_role("radio", name="High value customers").check()
    page.get_by_role("checkbox", name=re.compile("HighValueSegment")).check()
    page.get_by_label("Name of a new custom field").fill("CustomerId")
    page.get_by_role("button", name="Add a field").click()
    expect(page.get_by_text("The list lacks CustomerId.")).to_be_visible()

    page.get_by_role("button", name="Create the field").click()

    expect(page.get_by_text("The list lacks CustomerId.")).to_have_count(0)
    expect(page.get_by_text("It has all that the mapping names.")).to_be_visible()
    expect(page.get_by_role("table", name="The first subscribers")).to_contain_text("CustomerId")


def test_what_is_missing_is_named_and_nothing_is_saved(console: ConsoleApp, visit: Visit) -> None:
    page = visit("/new-export")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    page.get_by_label("Name", exact=True).fill("Half an export")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("strong").filter(has_text="Choose a connection.")).to_be_visible()
    assert "half-an-export" not in [one.id for one in console.world.app.catalog.exports()]


def test_the_names_of_segments_go_to_a_field_that_takes_many(console: ConsoleApp, visit: Visit) -> None:
    world, list_id = console.world, uuid.uuid4().hex
    many = {"name": "Segments", "type": "MultiSelectMany", "options": ["HighValueSegment"]}
    place = {"client_id": f"client-{world.list_id}", "id": list_id, "title": "By segment"}
    world.control("POST", "lists", place | {"fields": [*FIELDS, many]})
    catalog = world.app.catalog
    export = catalog.export("high-value-customers")
    catalog.save(export.model_copy(update={"id": "by-segment", "list_id": list_id}))
    choice = "Names of the subscriber's segments"

    page = visit("/exports/by-segment/edit")
    page.get_by_label(choice).select_option("Segments")
    expect(page.get_by_text("It has all that the mapping names.")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Saved. It was not run.")).to_be_visible()
    assert catalog.export("by-segment").mapping.segments_field == "Segments"

    page = visit("/exports/by-segment/edit")
    expect(page.get_by_label(choice)).to_have_value("Segments")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Saved. It was not run.")).to_be_visible()
    assert catalog.export("by-segment").mapping == export.mapping.model_copy(update={"segments_field": "Segments"})
    catalog.remove(catalog.export("by-segment"))


def test_an_export_is_changed_and_paused_and_removed(console: ConsoleApp, visit: Visit) -> None:
    page = visit("/exports/high-value-customers/edit")
    page.get_by_role("radio", name=re.compile("Only on demand")).check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Saved. It was not run.")).to_be_visible()
    assert console.world.app.catalog.export("high-value-customers").schedule is None

    page.get_by_role("link", name="Exports").first.click()
    expect(page.get_by_text("Only on demand")).to_be_visible()
    page.get_by_role("button", name="More for High value customers").click()
    page.get_by_role("menuitem", name="Pause").click()
    expect(page.get_by_role("row").nth(1)).to_contain_text("Paused")
    page.get_by_role("button", name="More for High value customers").click()
    page.get_by_role("menuitem", name="Remove").click()
    page.get_by_role("button", name="Remove the export").click()
    expect(page.get_by_text("Set up your first export")).to_be_visible()
