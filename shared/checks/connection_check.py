"""The check of a connection: what a run would need of it is tried, one thing after the other."""

from collections.abc import Callable
from contextlib import closing

from pydantic import BaseModel, ConfigDict

from shared.catalog.documents import Connection
from shared.checks.hurried_account import CALLS_AT_ONCE
from shared.errors import ExportError
from shared.parts import App
from shared.ports.destination import Destination, FoundClient


class Told(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Finding(Told):
    """One thing that was tried; ``code`` and ``action`` are there when it is not ok."""

    what: str
    ok: bool
    message: str
    code: str | None = None
    action: str | None = None


class Tried:
    """Call it with what is tried, the call, and what to say of a good answer; it gives the answer, or None."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    @property
    def ok(self) -> bool:
        return all(finding.ok for finding in self.findings)

    def __call__[T](self, what: str, call: Callable[[], T], say: Callable[[T], str]) -> T | None:
        try:
            answer = call()
        except ExportError as error:
            self.findings.append(
                Finding(what=what, ok=False, message=error.message, code=error.code, action=error.action)
            )
            return None
        self.findings.append(Finding(what=what, ok=True, message=say(answer)))
        return answer


class ConnectionCheck(Told):
    """``ok`` is whether every finding is; their ``what``: ``secret``, ``key``, ``lists``."""

    ok: bool
    findings: tuple[Finding, ...]
    clients: tuple[FoundClient, ...] = ()


def check(app: App, connection: Connection) -> ConnectionCheck:
    """The secret is readable, the key works, and which clients and lists it can see."""
    tried = Tried()
    clients: tuple[FoundClient, ...] = ()
    account = try_key(app, tried, connection)
    if account:
        with closing(account):
            if tried.ok:
                clients = tried("lists", account.clients, _count) or ()
    return ConnectionCheck(ok=tried.ok, findings=tuple(tried.findings), clients=clients)


def try_key(app: App, tried: Tried, connection: Connection) -> Destination | None:
    """The account, where there is a key for it, with the patience of somebody who waits for the answer."""

    def client() -> Destination:
        app.vault.key(connection.secret_name, anew=True)
        return app.account(connection, at_once=CALLS_AT_ONCE, patient=False)

    found = tried("secret", client, lambda _: f"The secret {connection.secret_name} is readable.")
    if found:
        tried("key", found.check_key, lambda _: "Campaign Monitor accepts the key.")
    return found


def _count(clients: tuple[FoundClient, ...]) -> str:
    return f"Clients that the key sees: {len(clients)}; their lists: {sum(len(one.lists) for one in clients)}."
