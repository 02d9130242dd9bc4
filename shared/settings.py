"""The application settings: read once, checked at start, named in every complaint, which never quotes a value."""

import base64
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, get_args
from urllib.parse import urlsplit

from shared.errors import DeploymentError

Role = Literal["viewer", "contributor", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)  # each may do what the one before may

CAMPAIGN_MONITOR = "https://api.createsend.com/api/v3.3"

_THIS_MACHINE = ("127.0.0.1", "::1", "localhost")
# The service's rule for containers and for queues.
_STORAGE_NAME = re.compile(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class StorageAccount:
    """One account: either ``connection_string`` (local use), or the URIs of its services and an identity.

    ``setting`` is the name of the setting, or the beginning of the names, that it comes from. ``client_id`` is that of
    a user-assigned managed identity; without it, and without ``managed_identity``, the credentials of the developer's
    machine are used.
    """

    setting: str
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
    function_key_role: Role = "contributor"
    require_sign_in: bool = False


@lru_cache(maxsize=1)
def from_process() -> Settings:
    """The settings of this process, read once."""
    return read(os.environ)


def read(environment: Mapping[str, str]) -> Settings:
    """Raises DeploymentError, which names the setting and what is allowed."""
    export_storage = _account(environment, "ExportStorage", ("blobServiceUri", "queueServiceUri"))
    if export_storage is None:
        raise _missing(
            "ExportStorage",
            "Set ExportStorage to a connection string, or ExportStorage__blobServiceUri and "
            "ExportStorage__queueServiceUri to the addresses of the account's services.",
        )
    return Settings(
        export_storage=export_storage,
        segment_storage=_account(environment, "SegmentStorage", ("blobServiceUri",)) or export_storage,
        segment_container=_storage_name(environment, "SEGMENT_CONTAINER") or "customerinsights",
        key_vault_url=_url(environment, "KEY_VAULT_URL"),
        campaign_monitor_url=_url(environment, "CAMPAIGN_MONITOR_URL", http_here=True) or CAMPAIGN_MONITOR,
        export_queue=_storage_name(environment, "EXPORT_QUEUE") or "export-work",
        upload_concurrency=int(_number(environment, "UPLOAD_CONCURRENCY", 8, at_least=1, at_most=64)),
        parallel_slices=int(_number(environment, "PARALLEL_SLICES", 2, at_least=1, at_most=64)),
        quiet_minutes=_number(environment, "QUIET_MINUTES", 5, at_least=0, at_most=1440, whole=False),
        function_key_role=_role(environment, "FUNCTION_KEY_ROLE", "contributor"),
        require_sign_in=_flag(environment, "REQUIRE_SIGN_IN"),
    )


def _account(environment: Mapping[str, str], name: str, services: tuple[str, ...]) -> StorageAccount | None:
    """The settings of one account, in the two forms that the queue trigger of Azure Functions also reads: a connection
    string, which goes before the other, or the URIs of the ``services`` that are needed."""
    connection_string = _connection_string(environment, name, services)
    uris = {service: _url(environment, f"{name}__{service}") for service in services}
    credential = _text(environment, f"{name}__credential")
    client_id = _text(environment, f"{name}__clientId")
    if credential and credential.lower() != "managedidentity":
        raise _invalid(f"{name}__credential", "only managedidentity, or nothing for the developer's own sign-in")
    if not (connection_string or any(uris.values()) or credential or client_id):
        return None
    missing = [service for service, uri in uris.items() if not uri]
    if missing and not connection_string:
        raise _missing(
            f"{name}__{missing[0]}",
            f"Set it to the address of that service of the account, or {name} to a connection string.",
        )
    return StorageAccount(
        setting=name,
        connection_string=connection_string,
        blob_uri=uris["blobServiceUri"],
        queue_uri=uris.get("queueServiceUri"),
        managed_identity=bool(credential),
        client_id=client_id,
    )


def _connection_string(environment: Mapping[str, str], name: str, services: tuple[str, ...]) -> str | None:
    """The SDK would find a fault in it only when it is used, and quote it."""
    value = _text(environment, name)
    if value is None:
        return None
    parts = [part.partition("=") for part in value.rstrip(";").split(";")]
    given = {key.strip().upper(): content for key, _, content in parts}
    if given.get("USEDEVELOPMENTSTORAGE", "").lower() == "true":
        return "UseDevelopmentStorage=true"  # the SDK reads it in this spelling alone
    endpoints = [given.get(f"{service.removesuffix('ServiceUri')}Endpoint".upper()) for service in services]
    by_key = given.get("ACCOUNTNAME") and _is_base64(given.get("ACCOUNTKEY", ""))
    by_signature = given.get("SHAREDACCESSSIGNATURE") and (given.get("ACCOUNTNAME") or all(endpoints))
    well_formed = all(between for _, between, _ in parts) and all(_host(uri) for uri in endpoints if uri)
    if not well_formed or not (by_key or by_signature):
        raise _invalid(
            name, "a connection string as the portal shows it, with AccountName and AccountKey, parted by semicolons"
        )
    return value


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except ValueError:
        return False


def _url(environment: Mapping[str, str], name: str, *, http_here: bool = False) -> str | None:
    """Without a slash at its end. Keys and personal data go to these addresses, so plain HTTP is for an address on
    this machine alone, where ``http_here`` allows it; and what could be a secret may not stand in one."""
    value = _text(environment, name)
    if value is None:
        return None
    schemes = ("https", "http") if http_here and _host(value) in _THIS_MACHINE else ("https",)
    if not _host(value) or urlsplit(value).scheme not in schemes or re.search(r"[\s?#@]", value):
        also = " (http:// for one on this machine)" if http_here else ""
        raise _invalid(name, f"an address that begins with https://{also}, without a space and the signs @ ? #")
    return value.rstrip("/")


def _host(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        return parts.hostname if parts.port != 0 else None
    except ValueError:
        return None


def _storage_name(environment: Mapping[str, str], name: str) -> str | None:
    value = _text(environment, name)
    if value is not None and not _STORAGE_NAME.fullmatch(value):
        raise _invalid(name, "a name of 3 to 63 lower-case letters and digits, with single hyphens between them")
    return value


def _role(environment: Mapping[str, str], name: str, default: Role) -> Role:
    value = _text(environment, name) or default
    if value not in ROLES:
        raise _invalid(name, f"one of {', '.join(ROLES)}")
    return value


def _flag(environment: Mapping[str, str], name: str) -> bool:
    value = (_text(environment, name) or "false").lower()
    if value not in ("true", "false"):
        raise _invalid(name, "true or false")
    return value == "true"


def _number(
    environment: Mapping[str, str],
    name: str,
    default: float,
    *,
    at_least: float,
    at_most: float,
    whole: bool = True,
) -> float:
    value = _text(environment, name)
    if value is None:
        return default
    try:
        number = int(value) if whole else float(value)
    except ValueError:
        number = at_least - 1
    if not at_least <= number <= at_most:
        kind = "a whole number" if whole else "a number"
        raise _invalid(name, f"{kind} from {at_least:g} to {at_most:g}")
    return number


def _text(environment: Mapping[str, str], name: str) -> str | None:
    """None where it is missing or empty: a setting cannot be removed everywhere, but it can be emptied."""
    return environment.get(name, "").strip() or None


def _missing(name: str, action: str) -> DeploymentError:
    return DeploymentError("setting_missing", f"The setting {name} is missing.", action, field=name)


def _invalid(name: str, allowed: str) -> DeploymentError:
    return DeploymentError(
        "setting_invalid",
        f"The setting {name} has a value that is not allowed.",
        f"Allowed is {allowed}.",
        field=name,
    )
