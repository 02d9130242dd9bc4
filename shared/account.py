"""What there is to choose from in an account of Campaign Monitor: its clients, their lists, and new custom fields."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

from pydantic import BaseModel, ConfigDict

from shared.app import App
from shared.campaign_monitor import CampaignMonitor
from shared.catalog import Connection
from shared.errors import ConfigurationError, Conflict, DeploymentError

CALLS_AT_ONCE = 8  # an agency has hundreds of clients, and each is asked for its lists


class _Found(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FoundList(_Found):
    """``id`` is the list_id of an export."""

    id: str
    title: str


class FoundClient(_Found):
    """A client of the account, and its lists."""

    id: str
    name: str
    lists: tuple[FoundList, ...]


@contextmanager
def opened(app: App, connection: Connection) -> Iterator[CampaignMonitor]:
    """The account, with the patience of somebody who waits for the answer. Raises Conflict where its key cannot be
    read: that is no fault of the request."""
    try:
        client = app.client(connection, CALLS_AT_ONCE, patient=False)
    except DeploymentError:
        raise
    except ConfigurationError as error:
        raise Conflict(error.code, error.message, error.action, field=error.field) from error
    with closing(client):
        yield client


def clients(account: CampaignMonitor) -> tuple[FoundClient, ...]:
    """Those that the key can see."""
    found = [(str(one["ClientID"]), str(one["Name"])) for one in account.call("GET", "/clients.json")]

    def lists(client: tuple[str, str]) -> FoundClient:
        id_, name = client
        answer = account.call("GET", f"/clients/{id_}/lists.json")
        return FoundClient(
            id=id_, name=name, lists=tuple(FoundList(id=str(one["ListID"]), title=str(one["Name"])) for one in answer)
        )

    with ThreadPoolExecutor(CALLS_AT_ONCE) as pool:
        return tuple(pool.map(lists, found))


def create_field(account: CampaignMonitor, list_id: str, key: str) -> None:
    """A custom field for text. The service makes its key from its name, without spaces and signs."""
    field = {"FieldName": key.strip().removeprefix("[").removesuffix("]"), "DataType": "Text", "Options": []}
    account.call("POST", f"/lists/{list_id}/customfields.json", json.dumps(field).encode())
