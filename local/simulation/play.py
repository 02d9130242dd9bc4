"""One world, played and judged."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from local.simulation.expected import is_expected
from local.simulation.oracles import judge
from local.simulation.oracles.findings import Finding
from local.simulation.world import world


@dataclass(frozen=True)
class Played:
    """``cpu`` is in seconds of processor time; ``trace`` a digest of everything that happened."""

    seed: int
    findings: tuple[Finding, ...]
    trace: str
    runs: int
    cpu: float

    @property
    def unexpected(self) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if not is_expected(one))


def play(seed: int, *, story: Callable[[str], None] | None = None, without: Collection[str] = ()) -> Played:
    """``without`` these oracles."""
    began = time.process_time()
    with world(seed, story=story) as made:
        try:
            made.play()
            findings = tuple(judge(made, without=without))
        except Exception as error:  # of the world itself, such as one without an end
            findings = (Finding("the world", type(error).__name__, str(error)[:300]),)
        trace, runs = made.scheduler.trace, len(made.history.ended)
    return Played(seed, findings, trace, runs, time.process_time() - began)
