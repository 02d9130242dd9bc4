"""Each line that the app logs belongs to an invocation that is running, by either door of Azure's worker: a line that
does not is dropped by the Functions host, and no query and no alert hears of it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from toy_functions import eventually
from world import World, csv_rows, person

from local.azurite import Azurite
from local.host.process import HostProcess
from local.host.times import ASKED_OFTEN
from local.standin import StandIn

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def world(campaign_monitor: StandIn) -> Iterator[World]:
    """On an account of its own: a tick looks at every export that there is."""
    with Azurite() as azurite:
        world = World(azurite.connection_string, campaign_monitor.url)
        world.put_rows(csv_rows(person(1), person(2), person(3, EMail="nobody")))
        world.save(schedule="refresh")
        yield world


@pytest.mark.parametrize("native", [False, True], ids=["classic", "native"])
def test_no_line_is_dropped_by_whatever_door_it_came(world: World, tmp_path: Path, native: bool) -> None:
    log = tmp_path / "log"
    settings = world.environment | ASKED_OFTEN | {"EXPORT_SCHEDULE": "0 0 0 1 1 *", "FUNCTION_KEY_ROLE": "admin"}
    with HostProcess(ROOT, settings=settings, native=native, log=log) as host:
        answers = [requests.post(f"{host.url}/admin/functions/ExportTimer", json={}, timeout=10)]
        eventually(lambda: re.search("ExportTimer .* succeeded in ", log.read_text()))
        eventually(lambda: not started(world))
        runs = f"{host.url}/api/exports/e-{world.id}/runs"
        answers += [requests.post(runs, json={"mode": "everything"}, timeout=10)]
        answers += [requests.delete(f"{host.url}{answers[-1].headers['Location']}", timeout=10)]
        eventually(lambda: not started(world))
        # A caller that is turned down, with what the developer wants to know in the log.
        requests.get(f"{runs}/20261123T020004120-9f0c2a1b", timeout=10)

    assert [answer.status_code for answer in answers[:2]] == [202, 202]
    said = log.read_text()
    assert "is dropped" not in said
    told = re.findall(r'"event":"(\w+)".*?"trigger":"([\w-]+)"', said)
    assert ("run_started", "on-demand") in told
    assert ("run_ended", "on-demand") in told


def started(world: World) -> list[str]:
    return [run.id for run in world.app.runs.newest(f"e-{world.id}") if not run.ended]
