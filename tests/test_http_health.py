"""GET /health: what answers and what does not, without secrets."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from azure.storage.queue import QueueClient
from http_world import Api, serving
from world import World

from local.azurite import Azurite
from local.standin import StandIn
from shared.azure.blob_storage import BlobStorage
from shared.azure.key_vault import KeyVault
from shared.azure.queue_storage import QueueStorage
from shared.runs.tick import tick
from shared.settings import read


@pytest.fixture
def api(campaign_monitor: StandIn) -> Iterator[Api]:
    """On a storage of its own, where nobody else ticks."""
    with Azurite() as azurite, serving(World(azurite.connection_string, campaign_monitor.url)) as api:
        yield api


def test_everything_answers(api: Api) -> None:
    answer = api.call("GET", "/health", role="viewer")

    assert answer.status_code == 200
    told = answer.json()
    assert told["ok"] is True
    assert [told[part]["ok"] for part in ("storage", "segments", "queue", "vault")] == [True] * 4
    assert (told["last_tick"], told["poison_messages"]) == (None, 0)


def test_the_age_of_the_last_tick_and_what_was_given_up(api: Api) -> None:
    world = api.world
    tick(world.app)
    later = world.app.clock.now() + timedelta(minutes=20)
    world.clock.stand_at(later)
    name = f"{world.environment['EXPORT_QUEUE']}-poison"
    with QueueClient.from_connection_string(world.connection_string, name) as poison:
        poison.create_queue()
        poison.send_message("given up")
        poison.send_message("given up")

    told = api.call("GET", "/health").json()

    assert 20 * 60 <= told["last_tick"]["age_seconds"] < 21 * 60
    assert told["poison_messages"] == 2
    assert told["ok"] is True


def test_what_does_not_answer_is_named_with_what_to_do_and_without_secrets(api: Api) -> None:
    world = api.world
    gone = "DefaultEndpointsProtocol=http;AccountName=gone;AccountKey=Z29uZQ==;"
    gone += "BlobEndpoint=http://127.0.0.1:1/gone;QueueEndpoint=http://127.0.0.1:1/gone;"
    account = read(world.environment | {"ExportStorage": gone}).export_storage
    world.app = replace(
        world.app,
        segments=BlobStorage(world.app.settings.segment_storage, "nothing-here"),
        queue=QueueStorage(account, "work"),
        vault=KeyVault("https://127.0.0.1:1", account, world.clock),
    )

    answer = api.call("GET", "/health")

    assert answer.status_code == 503
    told = answer.json()
    assert told["ok"] is False
    assert told["storage"]["ok"] is True
    assert told["segments"]["code"] == "container_missing"
    assert told["queue"]["code"] == "storage_unavailable"
    assert told["vault"]["ok"] is False
    assert told["poison_messages"] is None
    assert all(told[part]["action"] for part in ("segments", "queue", "vault"))
    assert "Z29uZQ" not in answer.text and "AccountKey" not in answer.text


def test_the_caller_is_told_who_it_is(api: Api) -> None:
    answer = api.call("GET", "/me", role="contributor", headers={"x-name": "ann@contoso.example"})

    assert answer.json() == {"name": "ann@contoso.example", "role": "contributor"}


def test_a_fault_of_the_deployment_is_no_fault_of_the_caller(api: Api) -> None:
    world = api.world
    world.app = replace(world.app, segments=BlobStorage(world.app.settings.segment_storage, "nothing-here"))

    api.problem(api.call("GET", "/segments"), 500, "container_missing")
