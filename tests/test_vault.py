"""Keys from Key Vault: the real SDK over HTTPS, with the token of a managed identity, against a vault that challenges
each call without one."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from azure_services import (
    BUSY,
    CLIENT_ID,
    DISABLED,
    FIREWALL,
    NO_ROLE,
    NOT_FOUND,
    AzureServices,
    Refusal,
)

from local.memory.clock import ManualClock
from shared.azure.key_vault import KEPT_SECONDS, KeyVault
from shared.azure.system_clock import SystemClock
from shared.errors import ConfigurationError, DeploymentError, TemporaryError
from shared.ports.clock import Clock
from shared.settings import StorageAccount

SECRET = "campaign-monitor-newsletter"
IDENTITY = StorageAccount("ExportStorage", managed_identity=True, client_id=CLIENT_ID)


@pytest.fixture
def azure(azure: AzureServices) -> AzureServices:
    azure.secrets[SECRET] = "the-key"
    return azure


def vault(azure: AzureServices, clock: Clock | None = None) -> KeyVault:
    return KeyVault(azure.url, IDENTITY, clock or SystemClock())


def test_the_key_is_had_with_the_token_of_the_apps_identity(azure: AzureServices) -> None:
    key = vault(azure).key(SECRET)

    assert key.get_secret_value() == "the-key"
    assert "the-key" not in f"{key!r} {key}"
    assert (azure.asked, azure.tokens) == ([SECRET], 1)


def test_a_key_is_kept_for_ten_minutes(azure: AzureServices) -> None:
    clock = ManualClock()
    kept = vault(azure, clock)
    kept.key(SECRET)
    azure.secrets[SECRET] = "another-key"

    clock.sleep(KEPT_SECONDS - 1)
    assert kept.key(SECRET).get_secret_value() == "the-key"
    clock.sleep(1)
    assert kept.key(SECRET).get_secret_value() == "another-key"
    assert len(azure.asked) == 2
    assert KEPT_SECONDS == 600


def test_a_key_read_anew_is_kept_in_place_of_the_old_one(azure: AzureServices) -> None:
    kept = vault(azure)
    kept.key(SECRET)
    azure.secrets[SECRET] = "another-key"

    assert kept.key(SECRET, anew=True).get_secret_value() == "another-key"
    assert kept.key(SECRET).get_secret_value() == "another-key"
    assert len(azure.asked) == 2


def test_what_was_pasted_with_blanks_around_it_is_a_key(azure: AzureServices) -> None:
    azure.secrets[SECRET] = " the-key\n"
    assert vault(azure).key(SECRET).get_secret_value() == "the-key"


@pytest.mark.parametrize(
    ("held", "code", "message", "action"),
    [
        (NOT_FOUND, "secret_missing", f"holds no secret {SECRET}", "az keyvault secret recover"),
        (NO_ROLE, "secret_forbidden", "HTTP 403, ForbiddenByRbac", "the role Key Vault Secrets User"),
        (DISABLED, "secret_forbidden", "HTTP 403, SecretDisabled", "enable it"),
        (FIREWALL, "secret_forbidden", "HTTP 403, ForbiddenByFirewall", "the vault's firewall"),
        ("", "secret_empty", f"The secret {SECRET} is empty", f"secret set --vault-name <vault> --name {SECRET}"),
        (" ", "secret_empty", "is empty", "Store the key"),
    ],
)  # fmt: skip
def test_what_the_vault_does_not_give_is_told_with_what_to_do(
    azure: AzureServices, held: str | Refusal, code: str, message: str, action: str
) -> None:
    azure.secrets[SECRET] = held
    kept = vault(azure)

    with pytest.raises(ConfigurationError) as caught:
        kept.key(SECRET)

    error = caught.value
    assert (error.code, error.field) == (code, "secret_name")
    assert message in error.message
    assert action in error.action
    # Nothing of it is kept: the next call asks again.
    azure.secrets[SECRET] = "the-key"
    assert kept.key(SECRET).get_secret_value() == "the-key"


def test_a_vault_that_is_busy_for_a_moment_is_asked_again(azure: AzureServices) -> None:
    azure.next = [BUSY, BUSY]
    assert vault(azure).key(SECRET).get_secret_value() == "the-key"
    assert len(azure.asked) == 3


def test_a_vault_that_stays_busy_or_is_down_is_a_matter_of_time(azure: AzureServices) -> None:
    azure.secrets[SECRET] = BUSY
    down = KeyVault("https://nobody.vault.azure.net", IDENTITY, SystemClock())
    with ThreadPoolExecutor() as pool:
        asked = [pool.submit(one.key, SECRET) for one in (vault(azure), down)]
        errors = [call.exception() for call in asked]

    for error, said in zip(errors, (f"{SECRET} (HTTP 429).", f"{SECRET}."), strict=True):
        assert isinstance(error, TemporaryError)
        assert error.code == "vault_unavailable"
        assert error.message == f"Key Vault does not answer for the secret {said}"
        assert "check KEY_VAULT_URL and the vault's firewall" in error.action


def test_an_app_without_its_identity_is_told_so(azure: AzureServices) -> None:
    azure.has_identity = False
    with pytest.raises(DeploymentError) as caught:
        vault(azure).key(SECRET)

    assert (caught.value.code, caught.value.field) == ("identity_unavailable", "ExportStorage__clientId")
    assert azure.asked == []


def test_no_token_goes_to_what_does_not_identify_itself_as_the_vault(azure: AzureServices) -> None:
    azure.resource = "https://vault.contoso.example"
    with pytest.raises(DeploymentError) as caught:
        vault(azure).key(SECRET)

    assert (caught.value.code, caught.value.field) == ("vault_unknown", "KEY_VAULT_URL")
    assert azure.tokens == 0


def test_without_a_vault_the_environment_holds_the_key() -> None:
    environment = {"SECRET_CAMPAIGN_MONITOR_NEWSLETTER": "the-key", "SECRET_EMPTY": ""}
    kept = KeyVault(None, IDENTITY, SystemClock(), environment=environment)

    assert kept.key(SECRET).get_secret_value() == "the-key"
    with pytest.raises(
        ConfigurationError, match="secret_missing: The environment, as SECRET_OTHER, holds no"
    ) as caught:
        kept.key("other")
    assert "Set SECRET_OTHER to the API key" in caught.value.action
    with pytest.raises(ConfigurationError, match="secret_empty"):
        kept.key("empty")


def test_neither_vault_nor_error_shows_a_key(azure: AzureServices) -> None:
    kept = vault(azure)
    kept.key(SECRET)
    azure.secrets[SECRET] = NO_ROLE
    with pytest.raises(ConfigurationError) as caught:
        kept.key(SECRET, anew=True)

    assert "the-key" not in f"{kept!r} {caught.value!r} {caught.value.__cause__!r}"
