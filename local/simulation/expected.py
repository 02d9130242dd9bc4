"""What the oracles find and later work mends, by name: oracle and kind, why, and when it leaves the list."""

from dataclasses import dataclass

from local.simulation.oracles.findings import Finding


@dataclass(frozen=True)
class Expected:
    oracle: str
    kind: str
    why: str
    until: str


EXPECTED: tuple[Expected, ...] = ()


def is_expected(finding: Finding) -> bool:
    return any((one.oracle, one.kind) == (finding.oracle, finding.kind) for one in EXPECTED)
