"""The rows of the table: each function makes what it needs, measures, and yields lines."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench.table import Line


@dataclass(frozen=True)
class Sizes:
    """In profiles. `peers`: for what is compared with others and for what waits on latency."""

    whole: int = 1_000_000
    peers: int = 100_000
    growth: tuple[int, ...] = (10_000, 100_000, 1_000_000, 5_000_000)


QUICK = Sizes(whole=20_000, peers=8_000, growth=(1_000, 5_000, 20_000))

Row = Callable[[Sizes], Iterator[Line]]
