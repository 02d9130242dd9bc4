"""Where the service's answers take their time: what counts is how many calls are in flight, and how little is lost
between them. The latency is that of every call, also of the three with which a plan begins."""

from collections.abc import Iterator

from bench.measure import Measured, workers
from bench.rows import Sizes
from bench.rows.whole import details
from bench.scene import made
from bench.table import Line, at_least, at_most

CONCURRENCY = 8
OF_EACH_WORKER = 4
LEAST_TIMES = {2: 1.8, 4: 3.2}


def ideal(sizes: Sizes) -> Iterator[Line]:
    latency = 1.0
    one = _run(sizes.peers, latency, UPLOAD_CONCURRENCY=str(CONCURRENCY))
    best = one.import_calls * latency / CONCURRENCY
    yield at_most(
        f"{one.profiles:,} profiles, {latency:g} s per call, {CONCURRENCY} calls in flight: our time over the ideal",
        one.seconds / best,
        1.25,
        "times",
        f"{one.seconds:.1f} s, ideal {best:.1f} s; {details(one)}",
    )


def scale_out(sizes: Sizes) -> Iterator[Line]:
    latency, alone = 1.0, 0.0
    for number in (1, *LEAST_TIMES):
        # As many slices of a run in work as there are workers in the largest case: the same settings for all cases.
        one = _run(
            sizes.peers,
            latency,
            workers_=number,
            UPLOAD_CONCURRENCY=str(OF_EACH_WORKER),
            PARALLEL_SLICES=str(max(LEAST_TIMES)),
        )
        what = f"{one.profiles:,} profiles, {latency:g} s per call, {OF_EACH_WORKER} calls in flight each: {number} "
        if number == 1:
            alone = one.seconds
            yield Line(what + "worker", f"{alone:.2f} s", details=details(one))
        else:
            times = alone / one.seconds
            yield at_least(what + "workers", times, LEAST_TIMES[number], "times one", f"{one.seconds:.1f} s")


def _run(profiles: int, latency: float, workers_: int = 1, **settings: str) -> Measured:
    with made(**settings) as scene:
        export = scene.add_export(profiles)
        with workers(scene, workers_) as app:
            app.warm_up()
            scene.control("PUT", "options", {"latency": latency})
            return app.run(export)
