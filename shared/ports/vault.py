"""The keys of the accounts."""

from typing import Protocol

from pydantic import SecretStr


class Vault(Protocol):
    def key(self, secret_name: str, *, anew: bool = False) -> SecretStr:
        """A key may be kept for some minutes; with ``anew`` the vault is asked all the same.

        Raises ConfigurationError where the vault does not give the secret, TemporaryError where it does not answer.
        """

    def probe(self) -> None:
        """Asks for a secret that need not be there. Raises what ``key`` would where the vault does not answer."""
