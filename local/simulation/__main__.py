"""Plays worlds and says what was found: ``python -m local.simulation --seeds 1000 --from 0``; one of them as a story
with ``--seed 17 --trace``."""

import argparse
import hashlib
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from local.simulation.oracles import NAMES
from local.simulation.play import Played, play


def main() -> int:
    arguments = _arguments()
    if arguments.seed is not None:
        played = play(arguments.seed, story=print if arguments.trace else None, without=arguments.without)
        _say(played)
        print(f"trace {played.trace}")
        return bool(played.unexpected)
    began, seeds = time.perf_counter(), range(arguments.first, arguments.first + arguments.seeds)
    worlds, cpu, runs, traces = 0, 0.0, 0, ""
    found: Counter[str] = Counter()
    bad = 0
    for played in _played(seeds, arguments.jobs, arguments.without):
        _say(played)
        worlds, cpu, runs, traces = worlds + 1, cpu + played.cpu, runs + played.runs, traces + played.trace
        found.update(f"{one.oracle}, {one.kind}" for one in played.findings)
        bad += bool(played.unexpected)
        if bad and arguments.first_find:
            break
    print(
        f"\n{worlds} worlds, {runs} runs, {cpu / worlds:.2f} s of processor time each, "
        f"{time.perf_counter() - began:.0f} s, trace {hashlib.sha256(traces.encode()).hexdigest()[:16]}"
    )
    for name, number in found.most_common():
        print(f"{number:6}  {name}")
    return bool(bad)


def _say(played: Played) -> None:
    for one in played.findings:
        mark = "" if one in played.unexpected else "  (expected)"
        print(f"seed {played.seed}: {one.oracle}, {one.kind}: {one.sentence}{mark}", flush=True)


def _played(seeds: range, jobs: int, without: list[str]) -> Iterator[Played]:
    one = partial(play, without=without)
    if jobs == 1:
        yield from map(one, seeds)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(one, seeds)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="how many worlds")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first seed")
    parser.add_argument("--seed", type=int, help="this world alone")
    parser.add_argument("--trace", action="store_true", help="with its story")
    parser.add_argument("--first-find", action="store_true", help="stop at the first world with what is not expected")
    parser.add_argument("--without", action="append", default=[], choices=NAMES, help="an oracle that is not asked")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    return parser.parse_args()


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":  # the engine may go through sets of names
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "local.simulation", *sys.argv[1:]])
    sys.exit(main())
