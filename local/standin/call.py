"""One call as an endpoint sees it: who calls, what for, and the database to do it in."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic_core import from_json

from local.standin.answers import RefusalError
from local.standin.delivery import Parcel
from local.standin.options import Options
from local.standin.paging import PageMemory


@dataclass(frozen=True)
class Caller:
    """The holder of a credential; with a client-level key it sees that client alone."""

    account: int
    client: int | None = None
    scopes: frozenset[str] | None = None  # None: a key, or a token that may do everything


@dataclass(frozen=True)
class Call:
    """`query` has its names in lower case; `arguments` are the parts of the path that the route names."""

    caller: Caller
    version: str
    arguments: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    options: Options
    sql: sqlite3.Connection
    pages: PageMemory
    parcels: list[Parcel]  # what webhooks are to be told once the call is stored

    @property
    def has_mobile(self) -> bool:
        """MobileNumber, ConsentToSendSms and ListJoinedDate came with v3.3."""
        return self.version != "v3.2"

    def flag(self, name: str) -> bool:
        return self.query.get(name, "").lower() == "true"

    def now(self) -> datetime:
        return self.options.moment()


def deserialise_error(culprit: str = "subscriber") -> RefusalError:
    """Names a field, never the row (seen live: `Fields in error: subscriber`)."""
    text = "Failed to deserialize your request. \r\nPlease check the documentation and try again."
    return RefusalError(400, 400, f"{text}\r\nFields in error: {culprit}")


def json_object(body: bytes, culprit: str) -> dict[str, Any]:
    """The body's members by their names in lower case: the service's binding does not mind case.

    Raises RefusalError (400) when the body is no JSON object, or holds half a character (`"\\ud800"`).
    """
    try:
        value = from_json(body)
    except ValueError:
        raise deserialise_error(culprit) from None
    if not isinstance(value, dict):
        raise deserialise_error(culprit)
    return {name.lower(): item for name, item in value.items()}


def typed[T](members: Mapping[str, Any], name: str, kind: type[T], culprit: str) -> T | None:
    """The member, or None where it is absent or null. Raises RefusalError (400) when it is of another type."""
    value = members.get(name)
    if value is None or type(value) is kind:
        return value
    raise deserialise_error(culprit)
