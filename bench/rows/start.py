"""How long a new instance needs before it can do anything: the imports of its function, in a fresh interpreter."""

import statistics
import subprocess
import sys
from collections.abc import Iterator

from bench.measure import PROJECT
from bench.rows import Sizes
from bench.table import Line, at_most

TIMES = 7
# What the first message imports behind the function itself counts too.
NEEDS = {"ExportHttp": (("ExportHttp",), 0.9), "ExportWorker": (("ExportWorker", "duckdb"), 1.0)}
_PROGRAM = """
import importlib, sys, time
begun = time.perf_counter()
for name in sys.argv[1:]:
    importlib.import_module(name)
print(time.perf_counter() - begun)
"""


def cold_start(_: Sizes) -> Iterator[Line]:
    for function, (names, most) in NEEDS.items():
        command = [sys.executable, "-c", _PROGRAM, *names]
        taken = [
            float(subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout)
            for _ in range(TIMES)
        ]
        details = (
            f"median of {TIMES} fresh processes, {min(taken):.2f} to {max(taken):.2f} s; their files were read before"
        )
        yield at_most(f"cold start: imports of {function}", statistics.median(taken), most, "s", details)
