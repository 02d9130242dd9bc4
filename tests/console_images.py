"""Makes the pictures of the console in docs/images, in both themes: real runs of made-up people, on this machine.

`make images` runs it. What is shown is what the app did just now, so the times in the pictures differ from day to day.
"""

import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

from console_app import ConsoleApp, console_app
from console_browser import chromium
from playwright.sync_api import Browser, Page
from world import World, csv_rows, person

from local.azurite import Azurite
from local.standin import StandIn
from shared.catalog.documents import Connection, Export
from shared.runs.start import start

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "images"
EXPORTS = {
    "high-value": ("High value customers", "refresh"),
    "winter-sale": ("Winter sale, loyalty members", "30 5 * * 1"),
    "win-back": ("Win back: no order for a year", "0 4 * * *"),
    "newsletter": ("Newsletter, all who asked for it", "refresh"),
    "anniversary": ("Ten years with us", None),
}
RUNS = 12


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as log, Azurite() as azurite, StandIn() as standin, chromium() as browser:
        world = World(azurite.connection_string, standin.url)
        newest = history(world)
        with console_app(world, Path(log) / "host.log") as app:
            for scheme in ("light", "dark"):
                for name, page in pages(app, browser, scheme, newest):
                    page.screenshot(path=FOLDER / f"console-{name}-{scheme}.png")
    sys.stdout.write(f"The pictures are in {FOLDER}\n")


def history(world: World) -> str:
    """Exports, and of the first one several runs; returns the id of the newest."""
    template = world.save().model_dump(mode="json") | {"saved": None}
    connection = world.app.catalog.connection(template["connection"])
    shared = connection.model_dump() | {
        "id": "newsletter",
        "display_name": "Newsletter account",
        "usable_by": "contributors",
    }
    world.app.catalog.save(Connection.model_validate(shared), by="jane@contoso.example")
    world.app.catalog.remove(world.app.catalog.export(template["id"]))
    world.app.catalog.remove(connection)
    for id_, (title, schedule) in EXPORTS.items():
        if id_ == "high-value":
            world.app.catalog.save(
                Export.model_validate(template | {"id": id_, "connection": "newsletter", "schedule": schedule})
            )
            continue
        list_id = uuid.uuid4().hex
        fields = [{"name": "City"}, {"name": "BirthDate", "type": "Date"}, {"name": "Loyalty tier"}]
        one = {
            "client_id": f"client-{world.list_id}",
            "id": list_id,
            "title": title.partition(",")[0],
            "fields": fields,
        }
        world.control("POST", "lists", one)
        changes = {
            "id": id_,
            "display_name": title,
            "schedule": schedule,
            "connection": "newsletter",
            "list_id": list_id,
        }
        world.app.catalog.save(Export.model_validate(template | changes), by="jane@contoso.example")
    newest = ""
    for number in range(RUNS):
        world.put_rows(*snapshot(number), at=f"2026/11/{10 + number:02}/0900")
        most = 100 if number == 7 else 1_000_000  # one fails: the segment is larger than the export allows
        changed = world.app.catalog.export("high-value").model_copy(update={"max_profiles": most})
        world.app.catalog.save(changed, by="jane@contoso.example")
        newest = run(world, "high-value")
    for id_ in ("winter-sale", "win-back"):
        run(world, id_)
    return newest


def snapshot(number: int) -> Iterator[str]:
    """More people with each refresh, some of whom have moved; and some rows that cannot be sent."""
    known = 2400 + 130 * number
    moved = {(number * 7 + step * 11) % known for step in range(40 * (number % 4))}
    rows = [person(one, City=f"Town {number}" if one in moved else "Kaunas") for one in range(known)]
    bad = [person(9000 + one, EMail="") for one in range(12 + number)]
    bad += [person(9100 + one, EMail=f"user{one}.example.com") for one in range(5 + number % 3)]
    twice = [person(one) for one in range(20)]
    yield csv_rows(*rows[: known // 2])
    yield csv_rows(*rows[known // 2 :], *bad, *twice) + '"a row","that is","too short"\n'


def run(world: World, export: str) -> str:
    begun, _ = start(world.app, export, "refresh")
    world.pump_until_ended(begun)
    return begun.id


def pages(app: ConsoleApp, browser: Browser, scheme: str, run_id: str) -> Iterator[tuple[str, Page]]:
    context = browser.new_context(
        base_url=app.url, color_scheme=scheme, viewport={"width": 1280, "height": 860}, reduced_motion="reduce"
    )
    cookie = app.person().cookies["AppServiceAuthSession"]
    context.add_cookies([{"name": "AppServiceAuthSession", "value": cookie, "url": app.url}])
    page = context.new_page()

    def show(path: str, until: str) -> Page:
        page.goto(f"/console{path}")
        page.get_by_text(until).first.wait_for()
        page.wait_for_load_state("networkidle")
        return page

    yield "exports", show("/", "Done, with rejects")
    yield "export", show("/exports/high-value", "Runs over time")
    yield "run", show(f"/exports/high-value/runs/{run_id}", "EMail is empty.")
    yield "connections", show("/connections", "Newsletter account")
    yield "connection", show("/connections/newsletter/edit", "I agree")
    yield "set-up", show("/exports/high-value/edit", "The first")
    page.set_viewport_size({"width": 390, "height": 844})
    yield "phone", show("/", "Done, with rejects")
    context.close()


if __name__ == "__main__":
    main()
