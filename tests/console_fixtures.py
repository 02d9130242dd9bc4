"""A running app with its console, a browser, and people in front of it."""

from collections.abc import Iterator

import pytest
from console_app import ConsoleApp, console_app
from console_browser import Visit, chromium
from playwright.sync_api import Browser, Page
from world import World

from local.azurite import Azurite
from local.standin import StandIn


@pytest.fixture(scope="module")
def console(campaign_monitor: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleApp]:
    """An app that has just been deployed: in a storage account of its own nothing is saved, and no segment is there."""
    with Azurite() as azurite:
        world = World(azurite.connection_string, campaign_monitor.url)
        with console_app(world, tmp_path_factory.mktemp("console") / "host.log") as running:
            yield running
        world.control("DELETE", "options")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def visit(console: ConsoleApp, browser: Browser) -> Iterator[Visit]:
    """``visit("/connections", role="Exports.Viewer")``: a page of its own, which must run without an error."""
    contexts = []
    wrong: list[str] = []

    def page_of(
        path: str = "/", role: str = "Exports.Admin", name: str = "jane@contoso.example", **options: object
    ) -> Page:
        context = browser.new_context(base_url=console.url, **options)  # type: ignore[arg-type]
        contexts.append(context)
        context.set_default_timeout(15_000)
        cookie = console.person(role, name).cookies["AppServiceAuthSession"]
        context.add_cookies([{"name": "AppServiceAuthSession", "value": cookie, "url": console.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text) if "Content Security" in message.text else None)
        page.goto(f"/console{path}")
        return page

    yield page_of
    for context in contexts:
        context.close()
    assert wrong == []
