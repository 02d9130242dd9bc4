"""What may be sent to the control path: each body as a model, so that a wrong one is told what is allowed."""

import secrets
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _identifier() -> str:
    return secrets.token_hex(16)


class FieldBody(_Body):
    name: str
    type: Literal["Text", "Number", "Date", "MultiSelectOne", "MultiSelectMany", "Country", "USState"] = "Text"
    options: list[str] = []
    visible: bool = True


class ListBody(_Body):
    id: str = Field(default_factory=_identifier)
    title: str
    confirmed_opt_in: bool = False
    unsubscribe_setting: Literal["AllClientLists", "OnlyThisList"] = "AllClientLists"
    suppress_unsubscribes: bool = False
    fields: list[FieldBody] = []


class ClientBody(_Body):
    id: str = Field(default_factory=_identifier)
    name: str
    api_key: str = Field(default_factory=_identifier)
    timezone: str = Field(default="(GMT) London", pattern=r"^\(GMT([+-]\d\d:\d\d)?\)")
    lists: list[ListBody] = []


class AccountBody(_Body):
    """An account with all that it holds, in one body."""

    api_key: str = Field(default_factory=_identifier)
    name: str = "Contoso"
    clients: list[ClientBody] = []


class NewClient(ClientBody):
    account: str = Field(description="the API key of its account")


class NewList(ListBody):
    client_id: str


class NewFields(_Body):
    list_id: str
    fields: list[FieldBody]


class TokenBody(_Body):
    """An OAuth token; `scopes` null may do everything."""

    account: str = Field(description="the API key of its account")
    access_token: str
    refresh_token: str
    state: Literal["valid", "expired", "revoked"] = "valid"
    scopes: list[str] | None = None


class ChangedKey(_Body):
    """A new key for an account; the old one opens nothing from then on."""

    old: str
    new: str


class SubscriberBody(_Body):
    """What is stored about one address, whatever the API would allow; `fields` by key, with or without brackets."""

    email: str
    state: Literal["Active", "Unconfirmed", "Unsubscribed", "Bounced", "Deleted"] = "Active"
    suppressed: bool = False
    name: str = ""
    mobile: str = ""
    fields: dict[str, str | list[str]] = {}


class NewSubscribers(_Body):
    list_id: str
    subscribers: list[SubscriberBody]
