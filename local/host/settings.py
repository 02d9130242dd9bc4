"""Application settings and host.json, read as the Functions host reads them."""

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.host.errors import CannotStartError

_TIME_SPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2}(?:\.\d{1,7})?)")
_OVERRIDE = "AzureFunctionsJobHost__"
_HOST_ID = "AzureFunctionsWebHost__hostid"


@dataclass(frozen=True)
class QueueOptions:
    """`extensions.queues` of host.json; times in seconds. Defaults are those of the Storage extension."""

    batch_size: int
    new_batch_threshold: int
    max_dequeue_count: int
    visibility_timeout: float
    max_polling_interval: float
    message_encoding: str


@dataclass(frozen=True)
class HostOptions:
    """What this host obeys in host.json; `function_timeout` in seconds, None for unbounded."""

    route_prefix: str
    function_timeout: float | None
    queues: QueueOptions


def load_settings(settings_file: Path | None) -> None:
    """Put the file's `Values` into the environment, where the functions read them; what is set there already wins.

    The file is the one that Core Tools reads (`local.settings.json`).
    """
    # Core Tools sets it too: code can tell a developer's machine from Azure.
    os.environ.setdefault("AZURE_FUNCTIONS_ENVIRONMENT", "Development")
    if settings_file is None:
        return
    for name, value in read_json(settings_file).get("Values", {}).items():
        if not isinstance(value, str):
            raise CannotStartError(f"{settings_file}: the value of {name} must be a string, as Core Tools asks.")
        os.environ.setdefault(name, value)


def host_id(root: Path) -> str:
    """By what the host tells its own records from those of other apps on the same storage."""
    return os.environ.get(_HOST_ID) or hashlib.sha256(os.fspath(root).encode()).hexdigest()[:32]


def resolve(text: str, *, where: str) -> str:
    """`text` with each `%NAME%` replaced by the application setting NAME. `where` goes into the error."""

    def setting(match: re.Match[str]) -> str:
        value = os.environ.get(match[1])
        if value is None:
            raise CannotStartError(f"{where} needs the application setting {match[1]}, which is not set.")
        return value

    return re.sub(r"%([^%]+)%", setting, text)


def read_host_options(root: Path) -> HostOptions:
    """host.json under `root`, with settings named `AzureFunctionsJobHost__a__b` over it, as in Azure.

    In Azure such a name may be in any case; here it is spelled as in host.json.
    """
    host = read_json(root / "host.json")
    for name, value in os.environ.items():
        if name.startswith(_OVERRIDE):
            _override(host, name.removeprefix(_OVERRIDE).split("__"), value)
    extensions = host.get("extensions", {})
    queues = extensions.get("queues", {})
    timeout = str(host.get("functionTimeout", "00:30:00"))  # the default on Flex Consumption
    try:
        return HostOptions(
            route_prefix=str(extensions.get("http", {}).get("routePrefix", "api")).strip("/"),
            function_timeout=None if timeout == "-1" else seconds(timeout),
            queues=QueueOptions(
                batch_size=int(queues.get("batchSize", 16)),
                new_batch_threshold=int(queues.get("newBatchThreshold", 8)),
                max_dequeue_count=int(queues.get("maxDequeueCount", 5)),
                visibility_timeout=seconds(queues.get("visibilityTimeout", "00:00:00")),
                max_polling_interval=seconds(queues.get("maxPollingInterval", "00:01:00")),
                message_encoding=str(queues.get("messageEncoding", "base64")).lower(),
            ),
        )
    except ValueError as error:
        raise CannotStartError(f"{root / 'host.json'}: {error}.") from None


def seconds(time_span: str) -> float:
    """Seconds of a .NET time span `[days.]hh:mm:ss[.fraction]`; ValueError for anything else."""
    match = _TIME_SPAN.fullmatch(str(time_span))
    if match is None:
        raise ValueError(f"{time_span!r} is not a time span of the form hh:mm:ss")
    days, hours, minutes, rest = (float(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + rest


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file; CannotStartError names the file when it is missing or is no JSON object."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CannotStartError(f"{path} is not there.") from None
    except (OSError, ValueError) as error:
        raise CannotStartError(f"{path} cannot be read: {error}.") from None
    if not isinstance(content, dict):
        raise CannotStartError(f"{path} must hold one JSON object.")
    return content


def _override(section: dict[str, Any], path: list[str], value: str) -> None:
    *outer, name = path
    for key in outer:
        section = section.setdefault(key, {})
    section[name] = value
