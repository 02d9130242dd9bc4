"""A running stand-in for each test file, emptied and set up anew for each test."""

from collections.abc import Iterator

import pytest
import requests
from standin_calls import Caller

from local.standin import StandIn


@pytest.fixture(scope="module")
def standin_server() -> Iterator[Caller]:
    with StandIn() as server, requests.Session() as http:
        yield Caller(server.url, http)


@pytest.fixture
def standin(standin_server: Caller) -> Caller:
    standin_server.seed()
    return standin_server
