"""Worlds of the simulation: new ones, those that once found something, and that the same seed gives the same world."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.simulation.kept import KEPT
from local.simulation.play import play

pytestmark = pytest.mark.slow  # for its many worlds

ROOT = Path(__file__).parents[1]
WORLDS = 75  # here, and as many in the file beside


@pytest.mark.parametrize("seed", range(WORLDS))
def test_nothing_untrue_is_found(seed: int) -> None:
    assert not [f"{one.oracle}, {one.kind}: {one.sentence}" for one in play(seed).unexpected]


@pytest.mark.parametrize("seed", KEPT)
def test_what_was_found_once_stays_mended(seed: int) -> None:
    assert not [f"{one.oracle}, {one.kind}: {one.sentence}" for one in play(seed).unexpected]


def test_the_same_seed_is_the_same_world_in_any_process() -> None:
    def traces(hash_seed: str) -> str:
        environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
        program = "from local.simulation.play import play; print([play(seed).trace for seed in (3, 5, 11)])"
        command = [sys.executable, "-c", program]
        return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert traces("1") == traces("2")


def test_a_world_tells_its_story() -> None:
    lines: list[str] = []
    play(3, story=lines.append)
    assert any("Customer Insights begins to write" in line for line in lines)
    assert any(" ends: " in line for line in lines)
