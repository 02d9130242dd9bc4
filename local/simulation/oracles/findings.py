"""What an oracle says: its name, of which kind it is, and a sentence for a person."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local.simulation.world import World


@dataclass(frozen=True)
class Finding:
    """``kind`` is stable: by oracle and kind a find can stand in the list of those that are expected."""

    oracle: str
    kind: str
    sentence: str


@dataclass(frozen=True)
class Said:
    """A finding before it is known whose it is."""

    kind: str
    sentence: str


Oracle = Callable[["World"], Iterator[Said]]
