"""What all tests share: the emulator of Azure Storage and the stand-in, started once when first asked for."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from azure_services import AzureServices, azure_services
from world import World

import shared
from local.azurite import Azurite
from local.standin import StandIn

# Where what these assert fails, pytest says how, as it does of the tests themselves.
pytest.register_assert_rewrite("expected_records", "stopped_worlds")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The fast tests first: those that start whole processes run last."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)


def pytest_sessionstart() -> None:
    # An installed package of the same name would be imported instead of ours, in Azure too.
    assert Path(shared.__file__ or "").parents[1] == Path(__file__).parents[1]


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    with Azurite() as running:
        yield running


@pytest.fixture(scope="session")
def campaign_monitor() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


@pytest.fixture
def world(azurite: Azurite, campaign_monitor: StandIn) -> Iterator[World]:
    world = World(azurite.connection_string, campaign_monitor.url)
    yield world
    world.control("DELETE", "faults")
    world.control("DELETE", "options")


@pytest.fixture
def azure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AzureServices]:
    """With this process's environment as that of a function app that finds them."""
    with azure_services(tmp_path) as services:
        for name, value in services.environment.items():
            monkeypatch.setenv(name, value)
        yield services
