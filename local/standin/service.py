"""The API as a whole: who calls comes first, then the path, then the endpoint, in one transaction."""

import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from local.standin import accounts, fields, importing, lists, oauth, single, state_lists, suppression, webhooks
from local.standin.accounts import caller_of
from local.standin.answers import Answer, Payload, RefusalError, render
from local.standin.call import Call
from local.standin.delivery import Parcel
from local.standin.pending import store_due
from local.standin.routing import Request, find_route
from local.standin.state import State
from local.standin.subscribers import STATES

Endpoint = Callable[[Call], Answer]

ROUTES: tuple[tuple[str, str, Endpoint], ...] = (
    ("GET", "systemdate", accounts.system_date),
    ("GET", "clients", accounts.list_clients),
    ("GET", "clients/{client}", accounts.read_client),
    ("GET", "clients/{client}/lists", lists.list_lists),
    ("POST", "lists/{client}", lists.create_list),
    ("GET", "lists/{list}", lists.read_list),
    ("PUT", "lists/{list}", lists.update_list),
    ("DELETE", "lists/{list}", lists.delete_list),
    ("GET", "lists/{list}/customfields", fields.list_fields),
    ("POST", "lists/{list}/customfields", fields.create_field),
    ("PUT", "lists/{list}/customfields/{key}", fields.update_field),
    ("DELETE", "lists/{list}/customfields/{key}", fields.delete_field),
    ("PUT", "lists/{list}/customfields/{key}/options", fields.update_options),
    ("GET", "lists/{list}/webhooks", webhooks.list_webhooks),
    ("POST", "lists/{list}/webhooks", webhooks.create_webhook),
    ("DELETE", "lists/{list}/webhooks/{webhook}", webhooks.delete_webhook),
    ("GET", "lists/{list}/webhooks/{webhook}/test", webhooks.try_webhook),
    ("PUT", "lists/{list}/webhooks/{webhook}/activate", partial(webhooks.switch_webhook, True)),
    ("PUT", "lists/{list}/webhooks/{webhook}/deactivate", partial(webhooks.switch_webhook, False)),
    ("GET", "lists/{list}/stats", state_lists.stats),
    *[("GET", f"lists/{{list}}/{state.lower()}", partial(state_lists.state_list, state)) for state in STATES],
    ("GET", "clients/{client}/listsforemail", state_lists.lists_for_email),
    ("GET", "clients/{client}/suppressionlist", suppression.list_suppressed),
    ("POST", "clients/{client}/suppress", suppression.suppress_addresses),
    ("PUT", "clients/{client}/unsuppress", suppression.unsuppress_address),
    ("POST", "subscribers/{list}", single.add),
    ("GET", "subscribers/{list}", single.read),
    ("PUT", "subscribers/{list}", single.update),
    ("DELETE", "subscribers/{list}", single.delete),
    ("GET", "subscribers/{list}/history", single.history),
    ("POST", "subscribers/{list}/unsubscribe", single.unsubscribe),
    ("POST", "subscribers/{list}/import", importing.import_subscribers),
)

VERSIONS = ("v3.2", "v3.3")
TOKEN_PATH = "/oauth/token"


class NoEndpointError(RefusalError):
    """A path, a method or a version that is not here."""

    def __init__(self) -> None:
        super().__init__(404, 404, "We couldn't find the resource you're looking for.")


@dataclass(frozen=True)
class Reply:
    payload: Payload
    note: str = ""  # for the request log


def serve(request: Request, state: State) -> Reply:
    """What the service answers. Never raises for anything that a client can send."""
    as_json = request.path.endswith(".json") or request.path == TOKEN_PATH
    try:
        with state.database.transaction() as sql:
            store_due(sql)
            parcels: list[Parcel] = []
            payload = render(_answer(request, state, sql, parcels), as_json=as_json)
    except NoEndpointError as refusal:
        return Reply(render(refusal.answer, as_json=as_json), "no such endpoint in the stand-in")
    except RefusalError as refusal:
        return Reply(render(refusal.answer, as_json=as_json))
    state.deliveries.send(parcels)
    return Reply(payload)


def _answer(request: Request, state: State, sql: sqlite3.Connection, parcels: list[Parcel]) -> Answer:
    options = state.options
    if request.path == TOKEN_PATH and request.method == "POST":
        return oauth.refresh(sql, request.body, options)
    caller = caller_of(sql, request.headers, options)
    version, endpoint, arguments = _route(request)
    call = Call(caller, version, arguments, request.query, request.body, options, sql, state.pages, parcels)
    return endpoint(call)


def _route(request: Request) -> tuple[str, Endpoint, dict[str, str]]:
    """Raises NoEndpointError for a path, a method or a version that is not here."""
    parts = re.fullmatch(r"/api/([^/]+)/(.+?)(?:\.json|\.xml)?", request.path, re.IGNORECASE)
    found = find_route(ROUTES, request.method, parts[2]) if parts and parts[1] in VERSIONS else None
    if parts is None or found is None:
        raise NoEndpointError
    return parts[1], *found
