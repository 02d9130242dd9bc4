"""What is there before the run: the sample in the container; in the stand-in an account, a list and who is on it."""

from collections.abc import Iterable
from dataclasses import asdict
from itertools import batched
from typing import Any

import requests
from azure.core.exceptions import AzureError
from azure.storage.blob import ContainerClient

from local.demo.errors import DemoError
from local.sample import LIST_FIELDS, Sample, Subscriber

LIST_ID = "a58ee1d3039b8bec838e6d1482a8a965"
SECRET_NAME = "campaign-monitor-newsletter"
SECRET_SETTING = "SECRET_CAMPAIGN_MONITOR_NEWSLETTER"
API_KEY = "not-a-real-key-the-stand-in-takes-any"

SUBSCRIBERS_IN_A_CALL = 5_000


def fill_container(connection_string: str, sample: Sample) -> None:
    """Makes the container; raises DemoError when the storage does not take the sample."""
    try:
        with ContainerClient.from_connection_string(connection_string, sample.container) as container:
            container.create_container()
            for blob in sample.blobs():
                container.upload_blob(blob.path, blob.pieces)
    except AzureError as error:
        raise DemoError(f"Azurite does not take the sample: {error.message}") from None


def fill_list(standin: str, subscribers: Iterable[Subscriber]) -> None:
    """Makes the account with its list, and puts on it whom it already knows. Raises DemoError."""
    the_list = {"id": LIST_ID, "title": "High value customers", "fields": LIST_FIELDS}
    account = {"api_key": API_KEY, "name": "Contoso", "clients": [{"name": "Contoso", "lists": [the_list]}]}
    _control(standin, "POST", "accounts", account)
    for some in batched(subscribers, SUBSCRIBERS_IN_A_CALL, strict=False):
        body = {"list_id": LIST_ID, "subscribers": [asdict(each) for each in some]}
        _control(standin, "PUT", "subscribers", body)


def list_address(standin: str) -> str:
    """Where the stand-in shows the whole list, one subscriber a line."""
    return f"{standin}/control/lists/{LIST_ID}/subscribers"


def _control(standin: str, method: str, path: str, body: dict[str, Any]) -> None:
    answer = requests.request(method, f"{standin}/control/{path}", json=body, timeout=60)
    if not answer.ok:
        raise DemoError(f"The stand-in does not take {method} /control/{path}: {answer.text.strip()}")
