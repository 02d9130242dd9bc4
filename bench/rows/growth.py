"""Whether a profile costs more in a large run than in a small one."""

from collections.abc import Iterator

from bench.measure import workers
from bench.rows import Sizes
from bench.rows.whole import details
from bench.scene import made
from bench.table import Line, at_most

JUDGED_FROM = 100_000
LARGEST_MIB = 1024


def growth(sizes: Sizes) -> Iterator[Line]:
    costs: dict[int, float] = {}
    for profiles in sizes.growth:
        with made() as scene:
            export = scene.add_export(profiles)
            with workers(scene) as app:
                one = app.run(export)
        costs[profiles] = one.seconds / profiles * 1_000_000
        yield Line(f"{profiles:,} profiles, no latency", f"{costs[profiles]:.1f} s per million", details=details(one))
    largest = max(sizes.growth)
    yield at_most(f"peak memory of the worker with {largest:,}", one.peak_mib, LARGEST_MIB, "MiB")
    judged = {profiles: cost for profiles, cost in costs.items() if profiles >= min(JUDGED_FROM, largest)}
    smallest = min(judged)
    what = f"time per profile from {smallest:,} to {largest:,}, the highest over that of {smallest:,}"
    yield at_most(what, max(judged.values()) / judged[smallest], 1.2, "times")
