"""The key changes, at Campaign Monitor and in the vault, while a run is under way."""

import pytest
from azure_services import CLIENT_ID, AzureServices
from world import World, balances, csv_rows, person

from local.azurite import Azurite
from local.standin import StandIn
from shared.record.run_record import Run

IDENTITY = {"ExportStorage__credential": "managedidentity", "ExportStorage__clientId": CLIENT_ID}


@pytest.fixture
def world(azurite: Azurite, campaign_monitor: StandIn, azure: AzureServices) -> World:
    """With a vault that holds the key, and 3,500 profiles: several batches at once."""
    environment = {"KEY_VAULT_URL": azure.url} | IDENTITY
    world = World(azurite.connection_string, campaign_monitor.url, environment=environment)
    azure.secrets[world.secret] = world.key
    world.put_rows(csv_rows(*map(person, range(3500))))
    world.save()
    return world


def test_a_new_key_is_taken_up_in_the_middle_of_a_run(world: World, azure: AzureServices) -> None:
    run = world.start()
    world.pump(1)  # the plan, with the old key
    assert azure.asked == [world.secret]
    world.control("PUT", "keys", {"old": world.key, "new": f"new-{world.key}"})
    azure.secrets[world.secret] = f"new-{world.key}"

    world.pump()

    assert ended(world, run).status == "succeeded"
    assert len(world.listed()) == 3500
    assert azure.asked == [world.secret] * 2


def test_a_key_that_stays_wrong_ends_the_run_and_the_vault_is_asked_once_more(
    world: World, azure: AzureServices
) -> None:
    run = world.start()
    world.pump(1)
    world.control("PUT", "keys", {"old": world.key, "new": f"new-{world.key}"})

    world.pump()

    run = ended(world, run)
    assert run.status == "failed"
    assert run.error
    assert run.error.code == "key_rejected"
    assert (run.counts.to_send, run.counts.unsent) == (3500, 3500)
    assert balances(run)
    assert azure.asked == [world.secret] * 2

    # Once the vault has the new key the next run needs no restart.
    azure.secrets[world.secret] = f"new-{world.key}"
    assert world.run().status == "succeeded"


def ended(world: World, run: Run) -> Run:
    return world.app.runs.get(run.export, run.id)
