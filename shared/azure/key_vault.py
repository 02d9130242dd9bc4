"""The keys of the accounts, from Key Vault: keeps ``shared.ports.vault.Vault``. The only file that knows its SDK."""

import os
from collections.abc import Mapping
from functools import cached_property
from http import HTTPStatus
from typing import Any

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.keyvault.secrets import SecretClient
from pydantic import SecretStr

from shared.azure.identity import credential, got_no_token, without_token
from shared.errors import ConfigurationError, DeploymentError, ExportError, TemporaryError
from shared.ports.clock import Clock
from shared.settings import StorageAccount

KEPT_SECONDS = 600

# As for storage: three more attempts within some ten seconds, then the patience is the queue's.
_OPTIONS: dict[str, Any] = {
    "connection_timeout": 5,
    "read_timeout": 30,
    "retry_total": 3,
    "retry_backoff_factor": 1,
    "retry_backoff_max": 5,
}

# What to do, by the inner code of HTTP 403 (seen in the service's answers).
_FORBIDDEN = {
    "SecretDisabled": "The secret is disabled: enable it, or store the key anew as a new version of it.",
    "ForbiddenByFirewall": "Let the app through the vault's firewall, or give the vault a private endpoint in the "
    "network of the app.",
}
_NO_ROLE = (
    "Give the app's identity the role Key Vault Secrets User on the vault; a new assignment takes up to ten minutes "
    "to work. The vault's firewall must let the app through, too."
)


class KeyVault:
    """Gives each key as a SecretStr, which shows itself nowhere; keeps it for KEPT_SECONDS.

    Without ``url`` (local use only) the secret ``a-b`` is the environment variable ``SECRET_A_B``.
    """

    def __init__(
        self,
        url: str | None,
        identity: StorageAccount,
        clock: Clock,
        *,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._url = url
        self._identity = identity
        self._environment = environment
        self._clock = clock
        self._kept: dict[str, tuple[float, SecretStr]] = {}

    @cached_property
    def _client(self) -> SecretClient:
        return SecretClient(self._url or "", credential(self._identity), **_OPTIONS)

    def key(self, secret_name: str, *, anew: bool = False) -> SecretStr:
        """With ``anew`` the vault is asked even when the key is still kept.

        Raises ConfigurationError where the vault does not give the secret, TemporaryError where it does not answer.
        """
        until, key = self._kept.get(secret_name, (0.0, SecretStr("")))
        if anew or self._clock.monotonic() >= until:
            key = self._read(secret_name)
            self._kept[secret_name] = (self._clock.monotonic() + KEPT_SECONDS, key)
        return key

    def probe(self) -> None:
        """Asks the vault for a secret that need not be there. Raises what ``key`` would where it does not answer."""
        if self._url:
            self._from_vault("health-probe")

    def _read(self, secret_name: str) -> SecretStr:
        value = self._from_vault(secret_name) if self._url else self._from_environment(secret_name)
        if value is None:
            raise self._missing(secret_name)
        if not value.strip():
            raise ConfigurationError(
                "secret_empty",
                f"The secret {secret_name} is empty.",
                self._how_to_store(secret_name),
                field="secret_name",
            )
        return SecretStr(value.strip())

    def _from_environment(self, secret_name: str) -> str | None:
        return self._environment.get(_variable(secret_name))

    def _from_vault(self, secret_name: str) -> str | None:
        try:
            return self._client.get_secret(secret_name).value or ""
        except ResourceNotFoundError:
            return None
        except AzureError as error:
            raise self._refusal(secret_name, error) from error
        except ValueError as error:
            # The SDK asks for a token only for a resource that fits the address.
            raise DeploymentError(
                "vault_unknown",
                "What answers at the address in KEY_VAULT_URL does not identify itself as that Key Vault.",
                "Set KEY_VAULT_URL to the vault's URI, as the portal shows it: https://<vault>.vault.azure.net.",
                field="KEY_VAULT_URL",
            ) from error

    def _refusal(self, secret_name: str, error: AzureError) -> ExportError:
        if got_no_token(error):
            return without_token(self._identity)
        status = error.status_code if isinstance(error, HttpResponseError) else None
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            inner = _inner_code(error)
            said = f"HTTP {status}, {inner}" if inner else f"HTTP {status}"
            return ConfigurationError(
                "secret_forbidden",
                f"Key Vault does not give the secret {secret_name} to this app ({said}).",
                _FORBIDDEN.get(inner, _NO_ROLE),
                field="secret_name",
            )
        return TemporaryError(
            "vault_unavailable",
            f"Key Vault does not answer for the secret {secret_name}" + (f" (HTTP {status})." if status else "."),
            "Nothing is lost: try again later. If it stays so, check KEY_VAULT_URL and the vault's firewall.",
        )

    def _missing(self, secret_name: str) -> ConfigurationError:
        where = "Key Vault" if self._url else f"The environment, as {_variable(secret_name)},"
        # The service answers the same for a secret that was deleted and can be recovered.
        deleted = f" If it was deleted: az keyvault secret recover --vault-name <vault> --name {secret_name}."
        return ConfigurationError(
            "secret_missing",
            f"{where} holds no secret {secret_name}.",
            self._how_to_store(secret_name) + (deleted if self._url else ""),
            field="secret_name",
        )

    def _how_to_store(self, secret_name: str) -> str:
        if self._url:
            return f"Store the key: az keyvault secret set --vault-name <vault> --name {secret_name} --value <API key>."
        return f"Set {_variable(secret_name)} to the API key, in local.settings.json or in the environment."


def _variable(secret_name: str) -> str:
    return "SECRET_" + secret_name.replace("-", "_").upper()


def _inner_code(error: AzureError) -> str:
    details = getattr(getattr(error, "error", None), "innererror", None) or {}
    return str(details.get("code", ""))
