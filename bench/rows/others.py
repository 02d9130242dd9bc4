"""What others need for the same profiles on the same machine: a loop written by hand, and a pipeline tool."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from bench import profiles
from bench.measure import PROJECT, workers
from bench.rows import Sizes
from bench.scene import API_KEY, CONTAINER, LIST_ID, Scene, made
from bench.table import Line, at_least

# An environment of their own, made by `make bench` from bench/requirements.txt.
PYTHON = Path(os.environ.get("BENCH_PEERS_PYTHON", PROJECT / ".bench" / "bin" / "python"))


def against_loop(sizes: Sizes) -> Iterator[Line]:
    """By one worker, and by the two that the default settings keep at work where the platform gives them."""
    latency = 0.2
    with made() as scene:
        theirs = _peer(scene, sizes.peers, latency, "loop")
        for number in (1, 2):
            ours = _ours(scene, sizes.peers, latency, number)
            what = (
                f"{sizes.peers:,} profiles, {latency:g} s per call, workers: {number}, against a loop with createsend"
            )
            yield at_least(what, theirs / ours, 6, "times as fast", f"we {ours:.1f} s, the loop {theirs:.1f} s")


def without_latency(sizes: Sizes) -> Iterator[Line]:
    with made() as scene:
        ours = _ours(scene, sizes.peers, 0, 1)
        for peer, name in (("loop", "a loop with createsend"), ("pipeline", "dlt")):
            theirs = _peer(scene, sizes.peers, 0, peer)
            what = f"{sizes.peers:,} profiles, no latency, against {name}"
            yield Line(what, f"{theirs / ours:.2f} times as fast", details=f"we {ours:.1f} s, {name} {theirs:.1f} s")


def _ours(scene: Scene, number: int, latency: float, workers_: int) -> float:
    export = scene.add_export(number)
    scene.control("PUT", "options", {"latency": 0})
    with workers(scene, workers_) as app:
        app.warm_up()
        scene.control("PUT", "options", {"latency": latency})
        return app.run(export).seconds


def _peer(scene: Scene, number: int, latency: float, peer: str) -> float:
    (blob,) = scene.refresh(peer, number)
    scene.control("PUT", "options", {"latency": latency})
    order = {
        "storage": scene.storage,
        "container": CONTAINER,
        "blob": blob,
        "columns": profiles.COLUMNS,
        "api": f"{scene.standin}/api/v3.3",
        "key": API_KEY,
        "list_id": LIST_ID,
    }
    command = [os.fspath(PYTHON), "-m", f"bench.peers.{peer}"]
    done = subprocess.run(command, cwd=PROJECT, input=json.dumps(order), text=True, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{peer} failed: {done.stderr.strip()[-500:]}")
    answer = json.loads(done.stdout)
    if answer["sent"] != number:
        raise RuntimeError(f"{peer} sent {answer['sent']} of {number} profiles")
    return float(answer["seconds"])
