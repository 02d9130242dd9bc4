"""The API as a whole: who calls comes first, then the path, then the endpoint, in one transaction."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from local.standin import accounts, fields, importing, lists
from local.standin.accounts import caller_of
from local.standin.answers import Answer, Payload, RefusalError, render
from local.standin.call import Call
from local.standin.database import Database
from local.standin.options import Options
from local.standin.routing import Request, match

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
    ("POST", "subscribers/{list}/import", importing.import_subscribers),
)

VERSIONS = ("v3.2", "v3.3")


@dataclass(frozen=True)
class Reply:
    payload: Payload
    note: str = ""  # for the request log


def serve(request: Request, database: Database, options: Options) -> Reply:
    """What the service answers. Never raises for anything that a client can send."""
    as_json = request.path.endswith(".json")
    try:
        with database.transaction() as sql:
            caller = caller_of(sql, request.headers, options)
            version, endpoint, arguments = _route(request)
            call = Call(caller, version, arguments, request.query, request.body, options, sql)
            return Reply(render(endpoint(call), as_json=as_json))
    except RefusalError as refusal:
        note = "no such endpoint in the stand-in" if refusal.answer.status == 404 else ""
        return Reply(render(refusal.answer, as_json=as_json), note)


def _route(request: Request) -> tuple[str, Endpoint, dict[str, str]]:
    """Raises RefusalError (404) for a path, a method or a version that is not here."""
    parts = re.fullmatch(r"/api/([^/]+)/(.+?)(?:\.json|\.xml)?", request.path, re.IGNORECASE)
    found = match(ROUTES, request.method, parts[2]) if parts and parts[1] in VERSIONS else None
    if parts is None or found is None:
        raise RefusalError(404, 404, "We couldn't find the resource you're looking for.")
    return parts[1], *found
