"""A million profiles: all of them new, then none changed, then one in a hundred."""

from collections.abc import Iterator

from bench.measure import Measured, workers
from bench.profiles import CHANGED_EVERY
from bench.rows import Sizes
from bench.scene import made
from bench.table import Line, at_most


def whole(sizes: Sizes) -> Iterator[Line]:
    profiles = sizes.whole
    with made() as scene:
        export = scene.add_export(profiles)
        with workers(scene) as app:
            first = app.run(export)
            yield at_most(f"{profiles:,} profiles, no latency, one worker", first.seconds, 25, "s", details(first))
            yield at_most("the same, processor time of our own processes", first.own_cpu, 18, "s")
            yield at_most("the same, peak memory of the worker", first.peak_mib, 600, "MiB")
            yield at_most("the same, temporary files at any moment", first.temporary_mib, 100, "MiB")
        with workers(scene) as app:
            second = app.run(export)
            yield at_most(f"{profiles:,} unchanged, second run", second.seconds, 12, "s", details(second))
            yield _exactly("the same, import calls", second.import_calls, 0)
        scene.refresh(export, profiles, number=1, changed=True)
        with workers(scene) as app:
            third = app.run(export)
            yield at_most(f"{profiles:,} profiles, 1% changed", third.seconds, 13, "s", details(third))
            yield _exactly("the same, import calls", third.import_calls, -(-profiles // CHANGED_EVERY // 1000))


def details(one: Measured) -> str:
    """What else had the two cores, and what came of the run."""
    return (
        f"processor time: ours {one.own_cpu:.1f} s, Azurite {one.azurite_cpu:.1f} s, stand-in {one.standin_cpu:.1f} s, "
        f"foreign {one.elsewhere_cpu:.1f} s; {one.peak_mib:.0f} MiB; {one.import_calls:,} import calls"
    )


def _exactly(what: str, value: int, wanted: int) -> Line:
    return Line(what, f"{value:,}", f"{wanted:,}", value == wanted)
