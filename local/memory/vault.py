"""Keys in memory: keeps ``shared.ports.vault.Vault``."""

from pydantic import SecretStr

from shared.errors import ConfigurationError


class MemoryVault:
    """Gives what ``secrets`` holds at the moment of the call; keeps nothing."""

    def __init__(self, secrets: dict[str, str]) -> None:
        self.secrets = secrets

    def key(self, secret_name: str, *, anew: bool = False) -> SecretStr:  # noqa: ARG002 - it is always read anew
        key = self.secrets.get(secret_name)
        if key is None:
            raise _refused("secret_missing", f"There is no secret {secret_name}.")
        if not key.strip():
            raise _refused("secret_empty", f"The secret {secret_name} is empty.")
        return SecretStr(key.strip())

    def probe(self) -> None:
        pass


def _refused(code: str, message: str) -> ConfigurationError:
    return ConfigurationError(code, message, "Put it into the secrets of this vault.", field="secret_name")
