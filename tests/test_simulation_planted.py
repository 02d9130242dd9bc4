"""The planted faults: each still fits the engine, and the simulation finds some that it should find at once."""

from pathlib import Path

import pytest

from local.simulation.expected import EXPECTED
from local.simulation.oracles import NAMES
from local.simulation.planted.__main__ import FAULTS, hunt
from local.simulation.planted.faults import Misplaced, fault, patched
from local.simulation.planted.needed import NEEDED


@pytest.mark.parametrize("name", [one.name for one in FAULTS])
def test_each_fits_the_engine(name: str) -> None:
    for file, text in patched(next(one for one in FAULTS if one.name == name)).items():
        compile(text, file, "exec")


def test_one_that_does_not_fit_is_refused() -> None:
    with pytest.raises(Misplaced):
        patched(fault("nowhere", "it is not there", ("shared/errors.py", "no such text", "")))


@pytest.mark.parametrize("name", ["everything is sent each time", "who is known is unchanged"])
def test_some_are_found_at_once(name: str) -> None:
    assert hunt(next(one for one in FAULTS if one.name == name), 20)


def test_each_fault_and_each_oracle_stands_in_the_tables() -> None:
    text = (Path(__file__).parents[1] / "docs" / "delivery.md").read_text()
    told = [cells[1].strip() for cells in (line.split("|") for line in text.splitlines()) if len(cells) > 3]
    assert not {one.name for one in FAULTS} - set(told)
    assert not set(NAMES) - {one.strip("`") for one in told}


def test_each_oracle_is_given_a_fault() -> None:
    assert set(NEEDED.values()) <= {one.name for one in FAULTS}
    # The others find something in the engine as it is.
    assert set(NAMES) - set(NEEDED) <= {one.oracle for one in EXPECTED}
