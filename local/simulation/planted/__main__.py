"""Plants one fault after the other and says in which world it was found first, and by which oracles:
``python -m local.simulation.planted [--only NAME] [--worlds 1000]``; with ``--needed``, for each oracle, that it alone
finds the fault that ``needed.py`` names."""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from local.simulation.planted import by_a_stranger, in_leavers, in_runs, in_sending, in_what_is_asked, on_hard_ground
from local.simulation.planted.faults import Fault, Misplaced, plant
from local.simulation.planted.needed import NEEDED

FAULTS = (
    *in_runs.FAULTS,
    *in_sending.FAULTS,
    *in_leavers.FAULTS,
    *in_what_is_asked.FAULTS,
    *by_a_stranger.FAULTS,
    *on_hard_ground.FAULTS,
)
_SAID = re.compile(r"^seed (\d+): ([\w ]+), ([^:]+): ")


def main() -> int:
    arguments = _arguments()
    return _needed(arguments) if arguments.needed else _all(arguments)


def _all(arguments: argparse.Namespace) -> int:
    """A row of a table for each fault."""
    missed = 0
    for one in FAULTS:
        if arguments.only and not re.search(arguments.only, one.name):
            continue
        try:
            found = hunt(one, arguments.worlds, arguments.first)
        except Misplaced as error:
            print(f"{error}", flush=True)
            missed += 1
            continue
        missed += not found
        print(f"| {one.name} | {found or f'not in {arguments.worlds} worlds'} |", flush=True)
    return bool(missed)


def _needed(arguments: argparse.Namespace) -> int:
    """A row for each oracle: the world in which it finds its fault; the others find it in none."""
    bad = 0
    for oracle, name in NEEDED.items():
        if arguments.only and not re.search(arguments.only, oracle):
            continue
        one = next(fault for fault in FAULTS if fault.name == name)
        found = hunt(one, arguments.worlds, arguments.first)
        others = hunt(one, arguments.worlds, arguments.first, without=oracle)
        bad += not found or bool(others)
        print(f"| {oracle} | {name} | {found or 'not found'} | {others} |", flush=True)
    return bool(bad)


def hunt(one: Fault, worlds: int, first: int = 0, *, without: str = "") -> str:
    """The first world that shows the fault, and the oracles that said so, but for the one ``without``; empty where none
    did."""
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        plant(one, Path(folder))
        command = [
            sys.executable,
            "-m",
            "local.simulation",
            "--seeds",
            str(worlds),
            "--from",
            str(first),
            "--first-find",
            *(["--without", without] if without else []),
        ]
        environment = os.environ | {"PYTHONPATH": folder, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
        played = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    said = [line for line in played.stdout.splitlines() if not line.endswith("(expected)")]
    finds = [match for match in map(_SAID.match, said) if match]
    if not finds and played.returncode:
        return f"the simulation itself fails: {played.stderr.strip().splitlines()[-1:]}"
    return f"{finds[0][1]} | {', '.join(f'{match[2]} ({match[3]})' for match in finds)}" if finds else ""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.simulation.planted", description=__doc__)
    parser.add_argument("--only", help="those whose name has a match of this")
    parser.add_argument("--needed", action="store_true", help="whether each oracle is")
    parser.add_argument("--worlds", type=int, default=1000, help="how many worlds each")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first seed")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
