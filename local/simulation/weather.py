"""What goes wrong, how often: the dials of a storm. Each storm turns a few of them, so that each is also seen alone."""

import random
from dataclasses import dataclass, fields, replace

QUEUE_AWAY = "queue away"
HARMLESS = ("doubled", "delayed", "lost", "early", "odd", "slow", "calm")
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


@dataclass
class Weather:
    """Probabilities of one call each, unless it says otherwise; all zero is calm. ``HARMLESS`` are those that excuse
    nothing."""

    # Storage
    unavailable: float = 0.0  # nothing is done, and the caller is told that nobody answers
    given_up: float = 0.0  # a write is stored, and the caller is told that nobody answers
    asked_again: float = 0.0  # a write is stored, its answer is lost, and the caller's SDK asks again
    late_write: float = 0.0  # the caller is told that nobody answers; then the write is stored all the same
    tail: float = 0.0  # a call takes up to a minute and a half
    lease_broken: float = 0.0  # of a renewal: somebody has broken the lease
    hesitation: float = 0.0  # of a write: the process stalls between deciding and sending
    second_thoughts: float = 0.0  # the same of a write of what several read and write, for longer than a lease
    storage_away_until: float = 0.0  # a time

    # Queue
    doubled: float = 0.0  # of a put
    delayed: float = 0.0  # of a put, by minutes
    lost: float = 0.0  # of a put
    early: float = 0.0  # of a delivery: seen by somebody else while it is worked on
    queue_away_until: float = 0.0  # a time: there is none, and whoever wants it is told at once

    # Service
    slow: float = 0.0  # seconds that a call takes longer, at most
    busy: float = 0.0  # 429
    broken_before: float = 0.0  # 5xx, nothing done
    broken_after: float = 0.0  # 5xx, and done, or being done
    cut: float = 0.0  # the connection, before or after
    hanging: float = 0.0  # until the caller gives up, before or after
    odd: float = 0.0  # of an import: an answer that is right in an odd way
    service_away_until: float = 0.0  # a time

    # Processes
    kill: float = 0.0  # of a worker, with each call that it makes
    stall: float = 0.0


_STRENGTHS = {
    "unavailable": (0.005, 0.04),
    "given_up": (0.01, 0.05),
    "asked_again": (0.01, 0.08),
    "late_write": (0.005, 0.03),
    "tail": (0.005, 0.02),
    "lease_broken": (0.02, 0.1),
    "hesitation": (0.01, 0.06),
    "doubled": (0.05, 0.3),
    "delayed": (0.05, 0.3),
    "lost": (0.02, 0.15),
    "early": (0.1, 0.5),
    "slow": (5, 40),
    "busy": (0.02, 0.3),
    "broken_before": (0.02, 0.2),
    "broken_after": (0.02, 0.2),
    "cut": (0.02, 0.2),
    "hanging": (0.01, 0.05),
    "odd": (0.1, 0.5),
    "kill": (0.001, 0.008),
    "stall": (0.001, 0.01),
}


_OF_MESSAGES = ("doubled", "delayed", "lost", "early")


def storm(chance: random.Random, now: float, *, rich: bool = False) -> Weather:
    """One storm: a handful of dials, and now and then storage or service away as a whole. Some are of messages alone,
    and of a service that is slow: what happens then must not be excused by anything else."""
    if chance.random() < 0.25:
        turned = {name: chance.uniform(0.1, 0.6) for name in _OF_MESSAGES if chance.random() < 0.6}
        return Weather(**turned, slow=chance.choice([0, 0, 10, 40]))
    share = chance.choice([0.1, 0.2, 0.4])
    turned = {name: chance.uniform(*span) for name, span in _STRENGTHS.items() if chance.random() < share}
    if rich and chance.random() < 0.3:
        turned["second_thoughts"] = chance.uniform(0.05, 0.3)
    if chance.random() < 0.15:
        turned["storage_away_until"] = now + chance.uniform(0.5, 8) * MINUTE
    if chance.random() < 0.15:
        turned["service_away_until"] = now + chance.uniform(1, 40) * MINUTE
    return Weather(**turned)


def told(weather: Weather) -> str:
    """In words, for the story."""
    turned = [f"{one.name} {getattr(weather, one.name):.3g}" for one in fields(weather) if getattr(weather, one.name)]
    return ", ".join(turned) or "calm"


def turn(weather: Weather, other: Weather) -> None:
    """Makes ``weather``, which is known to many, what the ``other`` is; but for the queue, which no storm brings."""
    for one in fields(weather):
        if one.name != "queue_away_until":
            setattr(weather, one.name, getattr(other, one.name))


def calm() -> Weather:
    return replace(Weather())
