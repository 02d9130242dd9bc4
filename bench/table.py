"""The table of results: what was measured, what was to be reached, and on which machine."""

import os
import platform
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

_HEAD = ("what", "measured", "target", "reached", "of interest")


@dataclass(frozen=True)
class Line:
    """`reached` None: there is nothing to reach, or nothing was measured."""

    what: str
    measured: str
    target: str = ""
    reached: bool | None = None
    details: str = ""

    def cells(self) -> tuple[str, ...]:
        reached = "" if self.reached is None else "yes" if self.reached else "**no**"
        return (self.what, self.measured, self.target, reached, self.details)


def at_most(what: str, value: float, most: float, unit: str, details: str = "") -> Line:
    """The value is shown with one decimal more than the target has, and judged as it is."""
    return Line(what, f"{value:.2f} {unit}", f"at most {most:g} {unit}", value <= most, details)


def at_least(what: str, value: float, least: float, unit: str, details: str = "") -> Line:
    return Line(what, f"{value:.2f} {unit}", f"at least {least:g} {unit}", value >= least, details)


def document(lines: Iterable[Line], minutes: float, *, quick: bool) -> str:
    """Markdown."""
    rows = [_HEAD, tuple("---" for _ in _HEAD), *(line.cells() for line in lines)]
    table = "\n".join(
        "| " + " | ".join(cell.replace("|", "/").replace("\n", " ") for cell in row) + " |" for row in rows
    )
    warning = "\n**Small sizes, to try the benchmark: the targets are for the full ones.**\n" if quick else ""
    return f"""# Results

Made by `make bench`; what each row is and where the time goes is told in [README.md](README.md).
{warning}
{table}

{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, in {minutes:.0f} minutes, on {_machine()}.
"""


def _machine() -> str:
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    free = shutil.disk_usage("/").free / 2**30
    return (
        f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB of memory, {free:.0f} GiB of disk free, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}, DuckDB {version('duckdb')}, "
        f"Node {node}. Everything shares these cores: the product, Azurite, the stand-in, and the benchmark itself"
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
