"""More worlds of the simulation, in a file of their own, so that they are played beside the others."""

import pytest

from local.simulation.play import play

pytestmark = pytest.mark.slow  # for its many worlds


@pytest.mark.parametrize("seed", range(75, 150))
def test_nothing_untrue_is_found(seed: int) -> None:
    assert not [f"{one.oracle}, {one.kind}: {one.sentence}" for one in play(seed).unexpected]
