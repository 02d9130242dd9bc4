"""The three functions at work, loaded and invoked by Microsoft's worker library, on real storage."""

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.storage.queue import QueueClient
from toy_functions import eventually
from world import World, balances, csv_rows, person

from local.azurite import Azurite
from local.host.process import HostProcess
from local.host.times import ASKED_OFTEN
from local.provision import provide
from local.standin import StandIn
from shared.record.run_record import Run

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
NEVER = "0 0 0 1 1 *"
SECONDS = 30


@pytest.fixture(scope="module")
def world(campaign_monitor: StandIn) -> Iterator[World]:
    """On an account of its own: a tick looks at every export that there is."""
    with Azurite() as azurite:
        world = World(azurite.connection_string, campaign_monitor.url)
        world.put_rows(csv_rows(person(1), person(2), person(3, EMail="nobody")))
        world.save(schedule="refresh")
        yield world


def host(world: World, log: Path, **settings: str) -> HostProcess:
    # A message that fails is there again at once.
    quick = {"AzureFunctionsJobHost__extensions__queues__visibilityTimeout": "00:00:00"}
    usual = {"EXPORT_SCHEDULE": NEVER, "FUNCTION_KEY_ROLE": "admin"}
    chosen = world.environment | usual | quick | ASKED_OFTEN | settings
    return HostProcess(ROOT, settings=chosen, log=log)


@pytest.fixture(scope="module")
def running(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[HostProcess, Path]]:
    log = tmp_path_factory.mktemp("host") / "log"
    with host(world, log) as process:
        yield process, log


def runs(world: World) -> list[Run]:
    """Those that there are, newest first; nothing while one is under way."""
    found = list(world.app.runs.newest(f"e-{world.id}"))
    return found if all(run.ended for run in found) else []


def queue(world: World, suffix: str = "") -> QueueClient:
    return QueueClient.from_connection_string(world.connection_string, world.environment["EXPORT_QUEUE"] + suffix)


def test_a_tick_starts_what_is_due_and_the_queue_brings_it_to_its_end(
    world: World, running: tuple[HostProcess, Path]
) -> None:
    process, log = running
    for tick in (1, 2):  # the second has nothing to do: the snapshot was exported
        assert requests.post(f"{process.url}/admin/functions/ExportTimer", json={}, timeout=10).status_code == 202
        eventually(lambda: len(re.findall("ExportTimer .* succeeded in ", log.read_text())) == tick)  # noqa: B023
        (run,) = eventually(lambda: runs(world), seconds=SECONDS)

    assert (run.trigger, run.status) == ("refresh", "completed_with_rejects")
    assert (run.counts.added, run.counts.invalid) == (2, 1)
    assert balances(run)
    assert set(world.listed()) == {"user1@example.com", "user2@example.com"}


def test_a_run_is_started_and_followed_over_http(world: World, running: tuple[HostProcess, Path]) -> None:
    process, _ = running
    answer = requests.post(f"{process.url}/api/exports/e-{world.id}/runs", json={"mode": "everything"}, timeout=10)
    assert answer.status_code == 202

    def ended() -> dict[str, Any]:
        run: dict[str, Any] = requests.get(process.url + answer.headers["Location"], timeout=10).json()
        return run if run["ended_at"] else {}

    run = eventually(ended, seconds=SECONDS)

    assert run["status"] == "completed_with_rejects"
    assert run["counts"]["updated"] == 2
    rejects = requests.get(f"{process.url}{answer.headers['Location']}/rejects", timeout=10)
    assert rejects.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert len(rejects.text.splitlines()) == 2


def test_a_message_that_is_none_goes_to_poison_and_keeps_no_other_from_its_turn(
    world: World, running: tuple[HostProcess, Path]
) -> None:
    process, log = running
    bad = [
        "secret-words",
        '{"v": 1, "step": "plan", "export": "secret-words", "run": "secret-words"}',
        '{"v": 1, "step": "secret-words", "export": "e", "run": "20261123T020004120-9f0c2a1b"}',
        '{"v": 2, "step": "plan", "export": "e", "run": "20261123T020004120-9f0c2a1b", "secret-words": 1}',
    ]
    for text in bad:
        queue(world).send_message(base64.b64encode(text.encode()).decode())
    answer = requests.post(f"{process.url}/api/exports/e-{world.id}/runs", timeout=10)
    assert answer.status_code == 202

    poison = queue(world, "-poison")
    eventually(lambda: len(peeked(poison)) == len(bad), seconds=SECONDS)
    eventually(lambda: runs(world), seconds=SECONDS)

    assert sorted(peeked(poison)) == sorted(bad)
    assert runs(world)[0].id == answer.json()["id"]
    assert log.read_text().count("A message of the queue is no step of a run.") == 5 * len(bad)
    assert "secret-words" not in log.read_text()


def peeked(client: QueueClient) -> list[str]:
    try:
        return [base64.b64decode(message.content).decode() for message in client.peek_messages(max_messages=32)]
    except Exception as error:
        assert getattr(error, "status_code", None) == 404  # it is made with the first message
        return []


def test_a_wrong_setting_is_told_by_every_function(world: World, tmp_path: Path) -> None:
    log = tmp_path / "log"
    # A queue of its own: the other host of this file takes from the usual one, too.
    mine = f"wrong-{world.environment['EXPORT_QUEUE']}"
    provide(world.connection_string, mine)
    with host(world, log, UPLOAD_CONCURRENCY="s3cret", EXPORT_QUEUE=mine) as process:
        answer = requests.get(f"{process.url}/api/exports", timeout=10)
        assert answer.status_code == 500
        assert answer.headers["Content-Type"] == "application/problem+json"
        problem = answer.json()
        assert (problem["code"], problem["field"]) == ("setting_invalid", "UPLOAD_CONCURRENCY")
        assert problem["detail"] == "The setting UPLOAD_CONCURRENCY has a value that is not allowed."
        assert problem["action"] == "Allowed is a whole number from 1 to 64."

        requests.post(f"{process.url}/admin/functions/ExportTimer", json={}, timeout=10)
        eventually(lambda: "ExportTimer" in failed(log))
        messages = QueueClient.from_connection_string(world.connection_string, mine)
        messages.send_message(base64.b64encode(json.dumps({"v": 1}).encode()).decode())
        eventually(lambda: "ExportWorker" in failed(log))

    text = log.read_text()
    assert text.count("shared.errors.DeploymentError: setting_invalid: The setting UPLOAD_CONCURRENCY has a value") >= 2
    assert "s3cret" not in text


def failed(log: Path) -> set[str]:
    """The functions of which an invocation has failed."""
    return {line.split()[4] for line in log.read_text().splitlines() if " host: " in line and " failed in " in line}
