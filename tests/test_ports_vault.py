"""The port of the vault, held to its contract: Key Vault, the environment in its place, and the one in memory."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from azure_services import CLIENT_ID, AzureServices

from local.memory.clock import ManualClock
from local.memory.vault import MemoryVault
from shared.azure.key_vault import KeyVault
from shared.errors import ConfigurationError
from shared.ports.vault import Vault
from shared.settings import StorageAccount

SECRET = "campaign-monitor-newsletter"
IDENTITY = StorageAccount("ExportStorage", managed_identity=True, client_id=CLIENT_ID)


@dataclass(frozen=True)
class Side:
    """``put`` makes SECRET what it is given."""

    vault: Vault
    put: Callable[[str], None]


@pytest.fixture(params=["key vault", "environment", "memory"])
def side(request: pytest.FixtureRequest) -> Side:
    clock = ManualClock()
    if request.param == "key vault":
        azure: AzureServices = request.getfixturevalue("azure")
        return Side(KeyVault(azure.url, IDENTITY, clock), lambda key: azure.secrets.update({SECRET: key}))
    held: dict[str, str] = {}
    if request.param == "environment":
        vault = KeyVault(None, IDENTITY, clock, environment=held)
        return Side(vault, lambda key: held.update({"SECRET_CAMPAIGN_MONITOR_NEWSLETTER": key}))
    return Side(MemoryVault(held), lambda key: held.update({SECRET: key}))


def test_a_key_is_had_and_shows_itself_nowhere(side: Side) -> None:
    side.put(" the-key\n")
    key = side.vault.key(SECRET)
    assert key.get_secret_value() == "the-key"
    assert "the-key" not in f"{key!r} {key} {side.vault!r}"


def test_a_key_is_read_anew(side: Side) -> None:
    side.put("the-key")
    side.vault.key(SECRET)
    side.put("another-key")
    assert side.vault.key(SECRET, anew=True).get_secret_value() == "another-key"
    assert side.vault.key(SECRET).get_secret_value() == "another-key"


@pytest.mark.parametrize(("held", "code"), [(None, "secret_missing"), ("", "secret_empty"), (" ", "secret_empty")])
def test_what_is_no_key_is_told(side: Side, held: str | None, code: str) -> None:
    if held is not None:
        side.put(held)
    with pytest.raises(ConfigurationError) as caught:
        side.vault.key(SECRET)
    assert (caught.value.code, caught.value.field) == (code, "secret_name")
    assert SECRET in caught.value.message
    side.put("the-key")
    assert side.vault.key(SECRET).get_secret_value() == "the-key"


def test_a_vault_that_answers_is_probed_in_silence(side: Side) -> None:
    side.vault.probe()
