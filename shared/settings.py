"""The application settings: read once, checked at start, named in every complaint."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from shared.errors import ConfigurationError

CAMPAIGN_MONITOR = "https://api.createsend.com/api/v3.3"


@dataclass(frozen=True)
class StorageAccount:
    """One account: either ``connection_string`` (local use), or the URIs of its services and an identity.

    ``client_id`` is that of a user-assigned managed identity; without it, and without ``managed_identity``, the
    credentials of the developer's machine are used.
    """

    connection_string: str | None = field(default=None, repr=False)
    blob_uri: str | None = None
    queue_uri: str | None = None
    managed_identity: bool = False
    client_id: str | None = None


@dataclass(frozen=True)
class Settings:
    export_storage: StorageAccount
    segment_storage: StorageAccount
    segment_container: str
    key_vault_url: str | None
    campaign_monitor_url: str
    export_queue: str
    upload_concurrency: int
    parallel_slices: int
    quiet_minutes: float


@lru_cache(maxsize=1)
def from_process() -> Settings:
    """The settings of this process, read once."""
    return read(os.environ)


def read(environment: Mapping[str, str]) -> Settings:
    """Raises ConfigurationError, which names the setting and what is allowed."""
    export_storage = _account(environment, "ExportStorage")
    if export_storage is None:
        raise ConfigurationError(
            "setting_missing",
            "The setting ExportStorage is missing.",
            "Set ExportStorage to a connection string, or ExportStorage__blobServiceUri and "
            "ExportStorage__queueServiceUri to the addresses of the account's services.",
            field="ExportStorage",
        )
    if not export_storage.connection_string and not (export_storage.blob_uri and export_storage.queue_uri):
        missing = "queueServiceUri" if export_storage.blob_uri else "blobServiceUri"
        raise ConfigurationError(
            "setting_missing",
            f"The setting ExportStorage__{missing} is missing.",
            "Catalog and state need the blob service of the account, the work its queue service: set both.",
            field=f"ExportStorage__{missing}",
        )
    return Settings(
        export_storage=export_storage,
        segment_storage=_account(environment, "SegmentStorage") or export_storage,
        segment_container=environment.get("SEGMENT_CONTAINER") or "customerinsights",
        key_vault_url=_url(environment, "KEY_VAULT_URL", only_https=True),
        campaign_monitor_url=_url(environment, "CAMPAIGN_MONITOR_URL") or CAMPAIGN_MONITOR,
        export_queue=environment.get("EXPORT_QUEUE") or "export-work",
        upload_concurrency=int(_number(environment, "UPLOAD_CONCURRENCY", 8, at_least=1, at_most=64)),
        parallel_slices=int(_number(environment, "PARALLEL_SLICES", 2, at_least=1, at_most=64)),
        quiet_minutes=_number(environment, "QUIET_MINUTES", 5, at_least=0, at_most=1440, whole=False),
    )


def _account(environment: Mapping[str, str], name: str) -> StorageAccount | None:
    """The settings of one account, in the two forms that the queue trigger of Azure Functions also reads."""
    connection_string = environment.get(name) or None
    blob_uri = _url(environment, f"{name}__blobServiceUri")
    queue_uri = _url(environment, f"{name}__queueServiceUri")
    if not (connection_string or blob_uri or queue_uri):
        return None
    credential = environment.get(f"{name}__credential", "")
    if credential.lower() not in ("", "managedidentity"):
        raise _invalid(f"{name}__credential", "only managedidentity, or nothing for the developer's own sign-in")
    return StorageAccount(
        connection_string=connection_string,
        blob_uri=blob_uri,
        queue_uri=queue_uri,
        managed_identity=bool(credential),
        client_id=environment.get(f"{name}__clientId") or None,
    )


def _url(environment: Mapping[str, str], name: str, *, only_https: bool = False) -> str | None:
    value = environment.get(name, "").strip().rstrip("/")
    allowed = ("https://",) if only_https else ("https://", "http://")
    if value and not value.startswith(allowed):
        raise _invalid(name, f"an address that begins with {' or '.join(allowed)}")
    return value or None


def _number(
    environment: Mapping[str, str],
    name: str,
    default: float,
    *,
    at_least: float,
    at_most: float,
    whole: bool = True,
) -> float:
    value = environment.get(name, "").strip()
    if not value:
        return default
    try:
        number = int(value) if whole else float(value)
    except ValueError:
        number = at_least - 1
    if not at_least <= number <= at_most:
        kind = "a whole number" if whole else "a number"
        raise _invalid(name, f"{kind} from {at_least:g} to {at_most:g}")
    return number


def _invalid(name: str, allowed: str) -> ConfigurationError:
    return ConfigurationError(
        "setting_invalid",
        f"The setting {name} has a value that is not allowed.",
        f"Allowed is {allowed}.",
        field=name,
    )
