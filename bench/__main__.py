"""`python -m bench`: measure everything, one row after the other, and write the table to bench/results.md."""

import argparse
import signal
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

from bench.rows import QUICK, Row, Sizes
from bench.rows.console import console
from bench.rows.growth import growth
from bench.rows.latency import ideal, scale_out
from bench.rows.leavers import leavers
from bench.rows.others import against_loop, without_latency
from bench.rows.start import cold_start
from bench.rows.whole import whole
from bench.table import Line, document

ROWS: dict[str, Row] = {
    "whole": whole,
    "leavers": leavers,
    "loop": against_loop,
    "ideal": ideal,
    "workers": scale_out,
    "start": cold_start,
    "growth": growth,
    "console": console,
    "others": without_latency,
}
RESULTS = Path(__file__).with_name("results.md")


def main() -> None:
    options = _options()
    signal.signal(signal.SIGTERM, _interrupt)
    sizes = QUICK if options.quick else Sizes()
    begun = time.monotonic()
    lines = []
    for name in options.rows:
        for line in _measured(name, ROWS[name], sizes):
            print("  ".join(cell for cell in line.cells() if cell), flush=True)
            lines.append(line)
    text = document(lines, (time.monotonic() - begun) / 60, quick=options.quick)
    if options.quick or set(options.rows) != set(ROWS):
        print(text)
    else:
        RESULTS.write_text(text, encoding="utf-8")
        print(f"Written to {RESULTS}")


def _measured(name: str, row: Row, sizes: Sizes) -> Iterator[Line]:
    """The lines of one row; one that fails says so, and the others go on."""
    try:
        yield from row(sizes)
    except Exception as error:
        traceback.print_exc()
        yield Line(f"{name}: failed", "nothing", reached=False, details=f"{type(error).__name__}: {error}"[:300])


def _interrupt(*_: object) -> None:
    """SIGTERM ends the benchmark as Ctrl-C does: with everything that it started."""
    raise KeyboardInterrupt


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("rows", nargs="*", help=f"only these: {', '.join(ROWS)}; the table is then only printed")
    parser.add_argument("--quick", action="store_true", help="small sizes, to try the benchmark; only printed")
    options = parser.parse_args()
    unknown = [name for name in options.rows if name not in ROWS]
    if unknown:
        parser.error(f"there is no row {unknown[0]}; there are {', '.join(ROWS)}")
    options.rows = options.rows or list(ROWS)
    return options


if __name__ == "__main__":
    main()
