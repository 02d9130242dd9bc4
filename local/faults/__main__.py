"""Kill workers, lose messages and let Campaign Monitor fail, and say whether anything was lost."""

import argparse
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from local.azurite import AzuriteError
from local.demo.errors import DemoError
from local.faults import ground, kills, losses, report
from local.faults.errors import FaultsError
from local.faults.programs import running
from local.faults.storm import storm
from local.faults.trial import Expectation
from local.host.process import HostFailedError
from local.sample import Sample

WIDTH = 120  # where there is no terminal
EXIT_RIGHT, EXIT_WRONG, EXIT_INTERRUPTED = 0, 1, 130


def main() -> int:
    options = _options()
    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDTH)
    signal.signal(signal.SIGTERM, _interrupt)
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    try:
        right = _campaigns(console, folder, options)
    except KeyboardInterrupt:
        shutil.rmtree(folder)
        return EXIT_INTERRUPTED
    except (AzuriteError, DemoError, FaultsError, HostFailedError) as error:
        console.print(str(error), style="red", markup=False)
        right = False
    if not right:
        console.print(f"The logs: {folder}")
        return EXIT_WRONG
    shutil.rmtree(folder)
    return EXIT_RIGHT


def _campaigns(console: Console, folder: Path, options: argparse.Namespace) -> bool:
    """Whether everything came out as it must."""
    sample = Sample(profiles=options.profiles, seed=options.seed)
    expectation = Expectation.of(sample)
    problems = 0
    with running(folder, sample) as programs:
        if options.kills:
            usual, verdict = kills.undisturbed(programs, expectation)
            report.show_undisturbed(console, usual)
            report.show_problems(console, verdict.problems)
            problems += len(verdict.problems)
            outcomes = []
            for outcome in kills.campaign(
                programs, expectation, usual, kills=options.kills, seed=options.seed, together=options.together
            ):
                outcomes.append(outcome)
                report.show_outcome(console, len(outcomes), outcome)
                problems += len(outcome.verdict.problems)
            report.show_outcomes(console, outcomes)
        if options.losses:
            console.print("Lost messages")
            for loss in losses.campaign(programs, expectation):
                report.show_loss(console, loss)
                problems += len(loss.verdict.problems)
        if options.ground:
            console.print("The ground, by the lines of docs/host.md")
            for one in ground.campaign(programs, expectation, frozenset(options.lines)):
                report.show_ground(console, one)
                problems += len(one.problems)
        if options.storm:
            console.print("Storm")
            weather = storm(programs, expectation, seed=options.seed, rarely=options.rarely)
            report.show_weather(console, weather)
            problems += len(weather.problems)
    console.print("Everything came out as it must." if not problems else f"{problems} things came out wrong.")
    return not problems


def _interrupt(*_: object) -> None:
    """SIGTERM ends the campaign as Ctrl-C does: with everything that it started."""
    raise KeyboardInterrupt


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=25, help="moments at which a worker is killed (default: 25)")
    parser.add_argument("--losses", action="store_true", help="lose every message, in each state of a run")
    parser.add_argument("--ground", action="store_true", help="what Azure's host does, line by line of docs/host.md")
    parser.add_argument("--lines", type=int, nargs="*", default=[], help="of these lines of docs/host.md alone")
    parser.add_argument("--storm", action="store_true", help="let a fifth of the import calls fail")
    parser.add_argument("--profiles", type=int, default=100_000, help="of the sample (default: 100,000)")
    parser.add_argument("--seed", type=int, default=1, help="of the sample, the moments and the faults (default: 1)")
    parser.add_argument("--together", type=int, default=1, help="runs that are disturbed at a time (default: 1)")
    parser.add_argument("--rarely", type=int, default=100, help="one call in so many has a rare fault (default: 100)")
    options = parser.parse_args()
    if options.profiles < 1_000 or options.kills < 0 or options.together < 1 or options.rarely < 4:
        parser.error("--profiles must be 1,000 or more, --together 1 or more, --rarely 4 or more")
    return options


if __name__ == "__main__":
    sys.exit(main())
