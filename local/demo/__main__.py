"""The story: start everything, put the sample in, run the export as a user would, and show what came of it."""

import argparse
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import requests
from rich.console import Console
from rich.markup import escape

from local.demo import comparison, report
from local.demo.client import Client
from local.demo.errors import DemoError
from local.demo.processes import Place, Programs, running
from local.demo.scene import API_KEY, SECRET_SETTING, fill_container, fill_list, list_address
from local.sample import Sample, account, afterwards, known_before, rejects

EXIT_FAILED, EXIT_INTERRUPTED = 1, 130


def main() -> int:
    options = _options()
    console = Console(highlight=False, soft_wrap=True)
    place = Place(Path(".demo").resolve(), keep=options.keep)
    # Also where the shell that started it in the background has it ignore Ctrl-C.
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _tell(console, place, Sample(profiles=options.profiles), serve=options.serve)
    except DemoError as error:
        problem = str(error)
    except requests.RequestException as error:  # the client tells its own
        problem = f"The stand-in for Campaign Monitor does not answer: {error}"
    except KeyboardInterrupt:
        console.print("Stopped.")
        return EXIT_INTERRUPTED
    console.print(f"[red]{escape(problem)}[/]")
    console.print(f"The logs: {_relative(place)}/*.log")
    return EXIT_FAILED


def _tell(console: Console, place: Place, sample: Sample, *, serve: bool) -> int:
    shutil.rmtree(place.folder, ignore_errors=True)
    place.folder.mkdir()
    settings = {
        SECRET_SETTING: API_KEY,
        "SEGMENT_CONTAINER": sample.container,
        "QUIET_MINUTES": "0",
        "EXPORT_SCHEDULE": "0 */15 * * * *",
        "EXPORT_QUEUE": "export-work",
        # The demo sets up a connection, too.
        "FUNCTION_KEY_ROLE": "admin",
        # Nothing of what the developer works with otherwise.
        "SegmentStorage": "",
        "KEY_VAULT_URL": "",
        "REQUIRE_SIGN_IN": "true",
    }
    console.print("Starting")
    with running(place, settings, lambda line: console.print(f"  {line}")) as programs:
        console.print(f"Putting {sample.profiles:,} profiles into the container, and some of them on the list")
        fill_container(programs.storage, sample)
        fill_list(programs.standin, known_before(sample))
        right = _export(console, place, programs, sample)
        if serve:
            _serve(console, programs)
    return 0 if right else EXIT_FAILED


def _export(console: Console, place: Place, programs: Programs, sample: Sample) -> bool:
    """Whether everything came out as it must."""
    client = Client(programs.host)
    client.set_up(max_profiles=max(sample.profiles, 1_000_000))
    address = client.start_run()
    console.print("Running the export")
    run = report.show_progress(console, client.follow(address, programs.check))

    file = place.folder / "rejects.csv"
    file.write_bytes(client.rejects(address))
    turned_down = comparison.rejects_in(file.read_text(encoding="utf-8-sig"))
    console.print()
    right = report.show_account(console, run["counts"])
    console.print()
    report.show_rejects(console, turned_down)
    console.print(f"Each with its place and a sentence: {_relative(place)}/rejects.csv")
    console.print()
    report.show_pace(console, run)

    found = comparison.subscribers_at(list_address(programs.standin))
    for what, differences in (
        ("The account", comparison.counts_that_differ(run["counts"], account(sample))),
        ("The file of rejects", comparison.rejects_that_differ(turned_down, rejects(sample))),
        (
            "The list, subscriber by subscriber and field by field,",
            comparison.subscribers_that_differ(found, afterwards(sample)),
        ),
    ):
        right = report.show_differences(console, what, differences) and right
    return right


def _serve(console: Console, programs: Programs) -> None:
    """Until Ctrl-C, or until one of the programs ends by itself."""
    api = Client(programs.host).api
    lines = (
        "",
        "Everything stays up until Ctrl-C. To try:",
        f"  {programs.host}/console/ in a browser; sign in with any name, and a role",
        f"  curl {api}/exports",
        f"  curl -X POST {api}/exports/high-value/runs",
        f"  curl {api}/exports/high-value/runs",
        f"  curl {list_address(programs.standin)}",
        f"The API is described at {api}/docs, and the stand-in is set up and read below {programs.standin}/control.",
    )
    try:
        for line in lines:
            console.print(line)
        while True:
            programs.check()
            time.sleep(1)
    except KeyboardInterrupt:
        console.print("Stopping.")


def _relative(place: Place) -> str:
    return os.path.relpath(place.folder)


def _interrupt(*_: object) -> None:
    """SIGTERM ends the demo as Ctrl-C does: with everything that it started."""
    raise KeyboardInterrupt


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.demo", description=__doc__)
    parser.add_argument("--profiles", type=int, default=Sample.profiles, help="how many (default: %(default)s)")
    parser.add_argument("--serve", action="store_true", help="leave everything running afterwards, to try things")
    parser.add_argument("--keep", action="store_true", help="leave the container and the list in .demo/ afterwards")
    options = parser.parse_args()
    if options.profiles < 1:
        parser.error("--profiles must be 1 or more")
    return options


if __name__ == "__main__":
    sys.exit(main())
