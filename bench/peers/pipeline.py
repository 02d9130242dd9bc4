"""The same with dlt, the pipeline tool that a Python team would pick, and a custom destination in batches of 1,000.

The time is from the start of the pipeline to the last answer; imports do not count. Only the columns that are mapped go
through the pipeline.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from itertools import batched

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"

import dlt
import requests

from bench.peers import order as orders
from bench.profiles import MAPPED


def main() -> None:
    order = orders.read()
    session = requests.Session()
    sent = 0

    @dlt.destination(batch_size=1000, name="campaign_monitor", naming_convention="direct")
    def destination(items: list[dict[str, str]], table: dict[str, object]) -> None:  # noqa: ARG001 - dlt's form
        nonlocal sent
        body = {"Subscribers": list(map(orders.subscriber, items)), "Resubscribe": False}
        address = f"{order.api}/subscribers/{order.list_id}/import.json"
        answer = session.post(address, json=body, auth=(order.key, "x"), timeout=120)
        answer.raise_for_status()
        sent += len(items)

    @dlt.resource(name="profiles")
    def profiles() -> Iterator[list[dict[str, str]]]:
        for rows in batched(orders.profiles(order), 1000, strict=False):
            yield [{name: row[name] for name in MAPPED} for row in rows]

    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        dlt.pipeline("bench", pipelines_dir=folder, destination=destination).run(profiles())
        orders.done(time.perf_counter() - begun, sent)


if __name__ == "__main__":
    main()
