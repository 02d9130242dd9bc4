"""The benchmark runs, and counts what it should; how fast anything is, no test says."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_small_sizes_of_the_first_row() -> None:
    command = [sys.executable, "-m", "bench", "--quick", "whole"]
    root = Path(__file__).parents[1]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    cells = [[cell.strip() for cell in line.strip("| ").split("|")] for line in done.stdout.splitlines() if "|" in line]
    calls = [row[1:4] for row in cells if row[0] == "the same, import calls"]
    assert calls == [["0", "0", "yes"], ["1", "1", "yes"]], done.stdout + done.stderr
