"""How soon the console shows something, and how soon what was asked for, in the local host: with many exports, and with
many runs of one."""

import secrets
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from bench.measure import PROJECT
from bench.rows import Sizes
from bench.table import Line, at_most
from local.azurite import Azurite
from local.host.process import HostProcess
from local.provision import provide
from local.standin import StandIn
from shared.app import wire
from shared.catalog.documents import Connection, Export
from shared.parts import App
from shared.record.run_record import Counts, Run, run_id
from shared.settings import read

EXPORTS, RUNS = 500, 1000
_FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000"
_NOW = "performance.now() / 1000"


def console(_: Sizes) -> Iterator[Line]:
    with tempfile.TemporaryDirectory() as folder, Azurite() as azurite, StandIn() as standin:
        settings = {
            "ExportStorage": azurite.connection_string,
            "CAMPAIGN_MONITOR_URL": f"{standin.url}/api/v3.3",
            "EXPORT_QUEUE": "export-work",
        }
        provide(azurite.connection_string, settings["EXPORT_QUEUE"])
        _fill(wire(read(settings)))
        settings |= {
            "AzureWebJobsStorage": azurite.connection_string,
            "REQUIRE_SIGN_IN": "true",
            "EXPORT_SCHEDULE": "0 0 0 1 1 *",
            "SegmentStorage": "",
            "KEY_VAULT_URL": "",
        }
        with (
            HostProcess(PROJECT, settings=settings, log=Path(folder) / "host.log") as host,
            sync_playwright() as playwright,
        ):
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            yield from _page(browser, host.url, "/", f"{EXPORTS} exports", rows=EXPORTS)
            yield from _page(browser, host.url, "/exports/export-0", f"an export with {RUNS} runs", rows=50)
            browser.close()


def _page(browser: Browser, url: str, path: str, what: str, *, rows: int) -> Iterator[Line]:
    """As somebody sees it who has been there before: once to fill the browser's cache, once to measure."""
    page = browser.new_context(base_url=url).new_page()
    page.goto("/.auth/login/aad")
    page.get_by_role("button").click()
    for _ in range(2):
        page.goto(f"/console{path}")
        page.locator("tbody tr").nth(rows - 1).wait_for()
        shown = page.evaluate(_NOW)
    yield at_most(f"console: {what}, first paint", page.evaluate(_FIRST_PAINT), 1.0, "s", "what Chromium measures")
    yield at_most(f"console: {what}, {rows} rows shown", shown, 5.0, "s", "Azurite gives the documents, one by one")


def _fill(app: App) -> None:
    agreed = {"agreed_by": "jane@contoso.example", "agreed_at": "2026-11-23T09:00:00Z"}
    app.catalog.save(
        Connection.model_validate({"id": "one", "display_name": "One", "secret_name": "one", "consent": agreed})
    )
    exports = [
        Export.model_validate(
            {
                "id": f"export-{number}",
                "display_name": f"Export {number}",
                "connection": "one",
                "list_id": f"{number:032x}",
                "segments": ["BlobExport/HighValueSegment"],
                "mapping": {"email": "EMail"},
            }
        )
        for number in range(EXPORTS)
    ]
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    runs = [_run("export-0", begin + timedelta(hours=number)) for number in range(RUNS)]
    runs += [_run(export.id, begin) for export in exports[1:]]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(app.catalog.save, exports))
        list(pool.map(app.runs.create, runs))


def _run(export: str, at: datetime) -> Run:
    counts = Counts(rows_read=1100, unchanged=900, to_send=200, added=120, updated=80)
    return Run(
        id=run_id(at, secrets.token_hex(4)),
        export=export,
        trigger="refresh",
        status="succeeded",
        created_at=at,
        started_at=at,
        ended_at=at + timedelta(minutes=1),
        counts=counts,
    )
