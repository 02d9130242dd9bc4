"""Accounts, their clients, and the credentials that open them."""

import base64
import binascii
import json
import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from local.standin.answers import Answer, RefusalError
from local.standin.call import Call, Caller
from local.standin.options import Options

TOKEN_STATES = {"expired": (121, "Expired OAuth Token"), "revoked": (122, "Revoked OAuth Token")}


def caller_of(sql: sqlite3.Connection, headers: Mapping[str, str], options: Options) -> Caller:
    """Who a request comes from. Raises RefusalError (401): this runs before any path is looked at."""
    kind, _, credential = headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return _bearer(sql, credential.strip())
    key = _basic_user(credential) if kind.lower() == "basic" else None
    if key is None:
        if options.missing_auth_code == 50:
            raise RefusalError(401, 50, "Must supply a valid HTTP Basic Authorization header")
        raise RefusalError(401, 100, "Invalid API Key")
    account = sql.execute("SELECT id FROM account WHERE api_key = ?", (key,)).fetchone()
    if account:
        return Caller(account["id"])
    client = sql.execute("SELECT seq, account FROM client WHERE api_key = ?", (key,)).fetchone()
    if client:
        return Caller(client["account"], client["seq"])
    raise RefusalError(401, 100, "Invalid API Key")


def _basic_user(credential: str) -> str | None:
    """The user name is the key; any password, or none, will do."""
    try:
        return base64.b64decode(credential, validate=True).decode().partition(":")[0] or None
    except (binascii.Error, UnicodeDecodeError):
        return None


def _bearer(sql: sqlite3.Connection, token: str) -> Caller:
    row = sql.execute("SELECT account, state, scopes FROM token WHERE access_token = ?", (token,)).fetchone()
    if row is None:
        raise RefusalError(401, 120, "Invalid OAuth Token")
    if row["state"] in TOKEN_STATES:
        raise RefusalError(401, *TOKEN_STATES[row["state"]])
    scopes = frozenset(json.loads(row["scopes"])) if row["scopes"] else None
    return Caller(row["account"], scopes=scopes)


def require(call: Call, scope: str) -> None:
    """Raises RefusalError (401, Code 60) when an OAuth token was not granted `scope`."""
    if call.caller.scopes is not None and scope not in call.caller.scopes:
        raise RefusalError(401, 60, f"You do not have permission to do this: {scope}")


@dataclass(frozen=True)
class Client:
    seq: int
    id: str
    name: str
    api_key: str
    timezone: str

    def local(self, moment: datetime) -> datetime:
        """The moment on this client's wall clock, without a zone, as the service writes dates.

        The service's zones read `(GMT+10:00) Canberra, Melbourne, Sydney`; only the offset counts here.
        """
        offset = re.match(r"\(GMT([+-])(\d\d):(\d\d)\)", self.timezone)
        if offset:
            sign, hours, minutes = offset.groups()
            shift = timedelta(hours=int(hours), minutes=int(minutes))
            moment = moment + shift if sign == "+" else moment - shift
        return moment.replace(tzinfo=None, microsecond=0)


def clients_of(call: Call) -> list[Client]:
    """Every client that the caller sees, by name."""
    rows = call.sql.execute(
        "SELECT seq, id, name, api_key, timezone FROM client"
        " WHERE account = ? AND (? IS NULL OR seq = ?) ORDER BY name",
        (call.caller.account, call.caller.client, call.caller.client),
    )
    return [Client(*row) for row in rows]


def find_client(call: Call) -> Client:
    """The client that the path names. Raises RefusalError (401, Code 102) for an unknown or foreign one."""
    for client in clients_of(call):
        if client.id == call.arguments["client"]:
            return client
    raise RefusalError(401, 102, "Invalid ClientID")


def system_date(call: Call) -> Answer:
    visible = clients_of(call)
    moment = visible[0].local(call.now()) if visible else call.now().replace(tzinfo=None, microsecond=0)
    return Answer({"SystemDate": str(moment)})


def list_clients(call: Call) -> Answer:
    return Answer([{"ClientID": client.id, "Name": client.name} for client in clients_of(call)])


def read_client(call: Call) -> Answer:
    """Contains the client's key, as the service's own answer does: a caller must not log it."""
    client = find_client(call)
    basics = {
        "ClientID": client.id,
        "CompanyName": client.name,
        "ContactName": "Jane Doe",
        "EmailAddress": "jane@contoso.example",
        "Country": "Australia",
        "TimeZone": client.timezone,
    }
    return Answer({"ApiKey": client.api_key, "BasicDetails": basics, "BillingDetails": {"Currency": "USD"}})
