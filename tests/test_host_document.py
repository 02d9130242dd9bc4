"""docs/host.md goes through the ground line by line, and names tests that are there."""

import re
from dataclasses import asdict
from pathlib import Path

from local.faults.ground import LINES
from local.host.times import Times

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs/host.md").read_text()
ROWS = re.findall(r"^\| (\d+) \|(.*)\|$", TEXT, re.MULTILINE)


def test_each_line_is_held_by_tests_that_are_there() -> None:
    assert [int(number) for number, _ in ROWS] == list(range(1, 12))
    for number, row in ROWS:
        tests = re.findall(r"`(tests/\w+\.py)`", row.rpartition("|")[2])
        assert tests, number
        assert all((ROOT / test).is_file() for test in tests), number


def test_the_faults_play_lines_1_to_10() -> None:
    assert sorted(set(LINES)) == list(range(1, 11))
    assert LINES.count(2) == 2  # both orders


def test_the_times_are_azures_unless_somebody_says_otherwise() -> None:
    assert asdict(Times()) == {"invisible": 600, "storage_patience": 25, "grace": 10, "tick_lease": 60}
    assert "hidden for 600 s" in TEXT
    assert "A stop gives ten seconds" in TEXT
