"""The keys of Campaign Monitor, from Key Vault. The only file that knows its SDK."""

import os
import time
from collections.abc import Callable, Mapping
from functools import cached_property

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.keyvault.secrets import SecretClient
from pydantic import SecretStr

from shared.errors import ConfigurationError, TemporaryError
from shared.settings import StorageAccount
from shared.storage import credential

KEPT_SECONDS = 600


class Vault:
    """Gives each key as a SecretStr, which shows itself nowhere; keeps it for KEPT_SECONDS.

    Without ``url`` (local use only) the secret ``a-b`` is the environment variable ``SECRET_A_B``.
    """

    def __init__(
        self,
        url: str | None,
        identity: StorageAccount,
        *,
        environment: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._identity = identity
        self._environment = environment
        self._clock = clock
        self._kept: dict[str, tuple[float, SecretStr]] = {}

    @cached_property
    def _client(self) -> SecretClient:
        return SecretClient(self._url or "", credential(self._identity), connection_timeout=10, read_timeout=30)

    def key(self, secret_name: str, *, anew: bool = False) -> SecretStr:
        """With ``anew`` the vault is asked even when the key is still kept.

        Raises ConfigurationError where the vault does not give the secret, TemporaryError where it does not answer.
        """
        until, key = self._kept.get(secret_name, (0.0, SecretStr("")))
        if anew or self._clock() >= until:
            key = self._read(secret_name)
            self._kept[secret_name] = (self._clock() + KEPT_SECONDS, key)
        return key

    def _read(self, secret_name: str) -> SecretStr:
        value = self._from_vault(secret_name) if self._url else self._from_environment(secret_name)
        if not value:
            where = "Key Vault" if self._url else f"The environment, as {_variable(secret_name)},"
            raise ConfigurationError(
                "secret_missing",
                f"{where} holds no secret {secret_name}.",
                f"Store the key: az keyvault secret set --vault-name <vault> --name {secret_name} --value <API key>.",
                field="secret_name",
            )
        return SecretStr(value)

    def _from_environment(self, secret_name: str) -> str | None:
        return self._environment.get(_variable(secret_name), "").strip()

    def _from_vault(self, secret_name: str) -> str | None:
        try:
            return (self._client.get_secret(secret_name).value or "").strip()
        except ResourceNotFoundError:
            return None
        except HttpResponseError as error:
            raise ConfigurationError(
                "secret_forbidden",
                f"Key Vault does not give the secret {secret_name} to this app (HTTP {error.status_code}).",
                "Check that the app's identity has the role Key Vault Secrets User and that the secret is enabled.",
                field="secret_name",
            ) from error
        except AzureError as error:
            raise TemporaryError(
                "vault_unavailable",
                f"Key Vault does not answer for the secret {secret_name}.",
                "Check KEY_VAULT_URL and the vault's firewall, or try again later.",
            ) from error


def _variable(secret_name: str) -> str:
    return "SECRET_" + secret_name.replace("-", "_").upper()
