"""One in a hundred of a million has left: one call each, beside a plan that sends nothing."""

from collections.abc import Iterator

from bench.measure import workers
from bench.rows import Sizes
from bench.rows.whole import details
from bench.scene import made
from bench.table import Line

LEFT_OF = 100


def leavers(sizes: Sizes) -> Iterator[Line]:
    profiles, left = sizes.whole, sizes.whole // LEFT_OF
    with made() as scene:
        export = scene.add_export(profiles)
        saved = scene.app.catalog.export(export)
        scene.app.catalog.save(saved.model_copy(update={"removals": "unsubscribe"}))
        with workers(scene) as app:
            app.run(export)
        scene.refresh(export, profiles - left, number=1)
        with workers(scene) as app:
            one = app.run(export)
        yield Line(f"{profiles:,} profiles, 1% left, no latency", f"{one.seconds:.1f} s", details=details(one))
        # The stand-in, which counts and stores nothing, answers that nobody is on the list (203): done.
        calls = scene.control("GET", "log?path=/unsubscribe&summary=true").json()["number"]
        yield Line("the same, calls to unsubscribe", f"{calls:,}", f"{left:,}", calls == left)
