"""The planted faults: each still fits the engine, and the simulation finds some that it should find at once."""

from pathlib import Path

import pytest

from local.simulation.planted.__main__ import FAULTS, hunt
from local.simulation.planted.faults import Misplaced, fault, plant


@pytest.mark.parametrize("name", [one.name for one in FAULTS])
def test_each_fits_the_engine(name: str, tmp_path: Path) -> None:
    plant(next(one for one in FAULTS if one.name == name), tmp_path)


def test_one_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misplaced):
        plant(fault("nowhere", "it is not there", ("shared/errors.py", "no such text", "")), tmp_path)


@pytest.mark.parametrize("name", ["everything is sent each time", "who is known is unchanged"])
def test_some_are_found_at_once(name: str) -> None:
    assert hunt(next(one for one in FAULTS if one.name == name), 20)
