"""The routes of connections. Administrators see and change them; contributors see the name and type of those that are
shared with them, and what there is to choose from behind them."""

import re
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from shared.catalog.documents import LIST_ID, NAME_IN_VAULT, Connection, ConnectionSettings, Consent, Saved, Timestamp
from shared.checks import connection_check
from shared.checks.hurried_account import opened
from shared.errors import NotFound
from shared.parts import App
from shared.ports.destination import FoundClient
from shared.runs import delete_configuration
from shared.web import problems
from shared.web.request_parts import (
    AS_ADMIN,
    JSON_BODY,
    Admin,
    ConnectionId,
    Contributor,
    OnlyIf,
    Wired,
    address,
    answers,
    header,
    must_be_named,
)
from shared.web.roles import Caller

_KEY_FIELDS = {"key", "apikey", "secret", "password", "token", "clientsecret", "accesstoken"}
_TYPE: Literal["campaign-monitor"] = "campaign-monitor"

router = APIRouter(tags=["connections"])


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ConsentGiven(Consent):
    """Who agrees; the server records when, where it is not said."""

    agreed_at: Timestamp | None = None  # type: ignore[assignment]  # what is saved always has it


class ConnectionBody(ConnectionSettings):
    """What is saved of a connection. What an answer has beside that may be sent back; it is not read."""

    id: str | None = Field(default=None, json_schema_extra={"readOnly": True})
    consent: ConsentGiven | None = None
    type: Any = Field(default=None, json_schema_extra={"readOnly": True})
    used_by: Any = Field(default=None, json_schema_extra={"readOnly": True})
    saved: Any = Field(default=None, json_schema_extra={"readOnly": True})

    @model_validator(mode="before")
    @classmethod
    def _holds_no_key(cls, document: Any) -> Any:
        found = _key_field(document)
        if found:
            raise PydanticCustomError(
                "key_in_request",
                "A connection holds no key: it belongs in Key Vault, and was not read.",
                {"field": found, "action": _how_to_store(document.get("secret_name"))},
            )
        return document


class ConnectionBrief(_Answer):
    """What contributors see of a connection that is shared with them."""

    id: str
    display_name: str
    type: Literal["campaign-monitor"] = _TYPE


class ConnectionView(ConnectionBrief):
    """What administrators see; ``used_by`` are the exports."""

    secret_name: str
    usable_by: Literal["admins", "contributors"]
    consent: Consent | None
    used_by: tuple[str, ...]
    saved: Saved | None


class ListView(_Answer):
    """A list: its title, whether it is confirmed opt-in, and its custom fields by key and type."""

    id: str
    title: str
    confirmed_opt_in: bool
    custom_fields: tuple["FieldView", ...]


class FieldView(_Answer):
    key: str
    data_type: str


_ETAG = {"headers": {"ETag": header("The version of the document.")}}


@router.get("/connections", responses=answers())
def list_connections(app: Wired, caller: Contributor) -> list[ConnectionView | ConnectionBrief]:
    """Administrators get all, contributors those that are shared with them."""
    users = delete_configuration.users(app)
    return [_view(one, caller, users) for one in app.catalog.connections() if caller.may_use(one)]


@router.get(
    "/connections/{connection_id}",
    responses=answers(HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, good={HTTPStatus.OK: _ETAG}),
)
def get_connection(
    connection_id: ConnectionId, app: Wired, caller: Contributor, response: Response
) -> ConnectionView | ConnectionBrief:
    connection = _usable(app, caller, connection_id)
    if caller.role == "admin":
        response.headers["ETag"] = app.catalog.kept(Connection, connection_id).etag
    return _view(connection, caller, delete_configuration.users(app))


@router.put(
    "/connections/{connection_id}",
    dependencies=[JSON_BODY],
    responses=answers(
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.PRECONDITION_FAILED,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        good={
            HTTPStatus.OK: _ETAG | {"description": "Replaced."},
            HTTPStatus.CREATED: {
                "description": "New.",
                "model": ConnectionView,
                "headers": _ETAG["headers"] | {"Location": header("Where it is.")},
            },
        },
    ),
)
def put_connection(
    connection_id: ConnectionId,
    document: ConnectionBody,
    app: Wired,
    caller: Admin,
    only_if: OnlyIf,
    request: Request,
    response: Response,
) -> ConnectionView:
    """Saves a connection: the whole of it. The key of the account never is part of it."""
    must_be_named(document.id, connection_id)
    consent = document.consent
    given = consent and Consent(agreed_by=consent.agreed_by, agreed_at=consent.agreed_at or app.clock.now())
    connection = Connection(
        id=connection_id,
        display_name=document.display_name,
        secret_name=document.secret_name,
        usable_by=document.usable_by,
        consent=given,
    )
    kept = app.catalog.save(connection, by=caller.name, now=app.clock.now(), only_if=only_if)
    response.headers["ETag"] = kept.etag
    if kept.new:
        response.status_code = HTTPStatus.CREATED
        response.headers["Location"] = address(request, f"/connections/{connection_id}")
    return _full_view(kept.item, delete_configuration.users(app))


@router.delete(
    "/connections/{connection_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=answers(
        HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED
    ),
)
def delete_connection(
    connection_id: ConnectionId,
    app: Wired,
    caller: Admin,
    only_if: OnlyIf,
    exports: Annotated[
        Literal["remove", "detach"] | None,
        Query(description="What becomes of the exports that use it: they are removed, or stay without a connection."),
    ] = None,
) -> Response:
    """Removes a connection. While exports use it, that needs a word on what becomes of them."""
    using = delete_configuration.remove_connection(app, connection_id, exports, by=caller.name, only_if=only_if)
    if using:
        return problems.problem(
            HTTPStatus.CONFLICT,
            "connection_in_use",
            f"Exports use the connection {connection_id}: {', '.join(using)}.",
            "Remove it with ?exports=detach (they stay, and do not run) or with ?exports=remove.",
            exports=using,
        )
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post(
    "/connections/{connection_id}/check",
    dependencies=[AS_ADMIN],
    responses=answers(HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND),
)
def check_connection(connection_id: ConnectionId, app: Wired) -> connection_check.ConnectionCheck:
    """Whether the secret is readable and the key works, and which clients and lists it can see."""
    return connection_check.check(app, app.catalog.connection(connection_id))


_BEHIND = answers(HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.BAD_GATEWAY)


@router.get("/connections/{connection_id}/lists", responses=_BEHIND)
def list_lists(connection_id: ConnectionId, app: Wired, caller: Contributor) -> tuple[FoundClient, ...]:
    """The lists of the account by client, to choose one for an export."""
    with opened(app, _usable(app, caller, connection_id)) as account:
        return account.clients()


@router.get("/connections/{connection_id}/lists/{list_id}", responses=_BEHIND)
def get_list(
    connection_id: ConnectionId,
    list_id: Annotated[str, Path(pattern=LIST_ID, description="The API list ID.")],
    app: Wired,
    caller: Contributor,
) -> ListView:
    """A list and its custom fields, to map columns to."""
    with opened(app, _usable(app, caller, connection_id)) as account:
        details = account.list_details(list_id)
        fields = tuple(FieldView(key=one.key, data_type=one.data_type) for one in account.custom_fields(list_id))
    return ListView(id=list_id, title=details.title, confirmed_opt_in=details.confirmed_opt_in, custom_fields=fields)


def _usable(app: App, caller: Caller, connection_id: str) -> Connection:
    """Raises NotFound also where the caller may not use it: one who may not see it does not learn that it is there."""
    connection = app.catalog.connection(connection_id)
    if not caller.may_use(connection):
        raise NotFound(
            "connection_not_found",
            f"There is no connection {connection_id}.",
            "GET /api/connections lists those that there are.",
        )
    return connection


def _view(connection: Connection, caller: Caller, users: dict[str, list[str]]) -> ConnectionView | ConnectionBrief:
    if caller.role == "admin":
        return _full_view(connection, users)
    return ConnectionBrief(id=connection.id, display_name=connection.display_name)


def _full_view(connection: Connection, users: dict[str, list[str]]) -> ConnectionView:
    return ConnectionView(**dict(connection), used_by=tuple(users.get(connection.id, ())))


def _key_field(document: Any) -> str | None:
    names = document if isinstance(document, dict) else {}
    return next((name for name in names if re.sub(r"[^a-z]", "", str(name).lower()) in _KEY_FIELDS), None)


def _how_to_store(secret_name: object) -> str:
    well_formed = isinstance(secret_name, str) and re.fullmatch(NAME_IN_VAULT, secret_name)
    name = secret_name if well_formed else "<secret name>"
    return (
        f"Store it with: az keyvault secret set --vault-name <vault> --name {name} --value <API key>. "
        "Then save the connection with secret_name alone."
    )
