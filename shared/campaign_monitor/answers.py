"""What an answer of Campaign Monitor means: a result, a refusal, or that it is better to ask again.

The meaning of the codes is that of the service's documentation and of its official clients.
"""

import json
from http import HTTPStatus
from typing import Any

import requests

from shared.errors import DestinationError, ExportError, TemporaryError
from shared.ports.destination import (
    ADDRESS_REFUSED,
    BOTH_REFUSED,
    BOUNCED,
    DELETED,
    MOBILE_REFUSED,
    SUPPRESSED,
    UNCONFIRMED,
    UNREADABLE,
    UNSUBSCRIBED,
    NotImported,
    TurnedDown,
)

PARTLY_IMPORTED = 210
_INVALID_LIST = 101
_ROW_CODES = (
    ADDRESS_REFUSED,
    SUPPRESSED,
    DELETED,
    UNSUBSCRIBED,
    BOUNCED,
    UNCONFIRMED,
    MOBILE_REFUSED,
    BOTH_REFUSED,
    UNREADABLE,
)
_KEY_CODES = (50, 60, 100, 120, 121, 122)

LONGEST_WAIT = 60  # seconds


class TooMuch(TemporaryError):
    """HTTP 429."""


def result_of(response: requests.Response, *, empty: bool = False) -> Any:
    """The JSON of a good answer (None where it may be ``empty``), or of Code 210. Raises what the answer means
    otherwise."""
    status = response.status_code
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise unavailable("says that it is asked too often", TooMuch, retry_after=_asked_to_wait(response))
    if status == HTTPStatus.REQUEST_TIMEOUT or status >= 500:
        raise unavailable(f"answers with HTTP {status}", retry_after=_asked_to_wait(response))
    if response.ok and empty:
        return None
    try:
        # Some answers begin with a byte order mark.
        document = json.loads(response.content.decode("utf-8-sig"))
    except ValueError as error:
        raise unavailable("gives an answer that is not JSON") from error
    if response.ok:
        return document
    code = document.get("Code") if isinstance(document, dict) else None
    if code == PARTLY_IMPORTED:
        return document["ResultData"]
    raise refusal(status, code if isinstance(code, int) else None)


def refusal(status: int, code: int | None) -> ExportError:
    """Classified by Code, never by text: the texts of one code vary."""
    said = f"HTTP {status}" if code is None else f"HTTP {status}, code {code}"
    if code in _KEY_CODES:
        return DestinationError(
            "key_rejected",
            f"Campaign Monitor does not accept the API key of the connection ({said}).",
            "Store a valid key in Key Vault under the secret name of the connection, then run the export again.",
        )
    if code == _INVALID_LIST or status == HTTPStatus.NOT_FOUND or (code is None and status == HTTPStatus.UNAUTHORIZED):
        return DestinationError(
            "list_not_found",
            f"Campaign Monitor does not know the list of the export for this account ({said}).",
            "Check list_id (in the list's settings, as API list ID) and that the connection is to the list's account.",
        )
    message = f"Campaign Monitor turned a request down ({said})."
    action = "This is a defect of the product, or a change of the service: report it with the run's id."
    if code in _ROW_CODES:
        return NotImported(message, action, code)
    return TurnedDown(message, action, code)


def unavailable(
    how: str, kind: type[TemporaryError] = TemporaryError, *, retry_after: float | None = None
) -> TemporaryError:
    return kind(
        "campaign_monitor_unavailable",
        f"Campaign Monitor {how}.",
        "Nothing is lost: what was confirmed is kept. Run the export again when the service works.",
        retry_after=retry_after,
    )


def _asked_to_wait(response: requests.Response) -> float | None:
    """Seconds: Retry-After, then X-RateLimit-Reset, which the service documents as seconds until it resets. Not longer
    than LONGEST_WAIT: asking again does no harm, and the limit may be that of another kind of calls. None where it says
    nothing, or no time at all: then waits grow by themselves."""
    for name in ("Retry-After", "X-RateLimit-Reset"):
        value = response.headers.get(name, "")
        if value.isdigit() and int(value):
            return min(float(value), LONGEST_WAIT)
    return None
