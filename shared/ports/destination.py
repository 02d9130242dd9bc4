"""The destination: one account of the service that the subscribers go to, in the terms of its API (v3.3)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from pydantic import SecretStr

from shared.errors import DestinationError

# The codes of the service that other rooms than its own act on, as its documentation and official clients have them.
ADDRESS_REFUSED = 1
NOT_IN_LIST = 203
SUPPRESSED, DELETED, UNSUBSCRIBED, BOUNCED, UNCONFIRMED = 204, 205, 206, 207, 208
MOBILE_REFUSED, BOTH_REFUSED = 220, 221
UNREADABLE = 400
UNKNOWN_CODE = 999  # stands for what the service says and is no code

ListState = Literal["active", "unconfirmed", "unsubscribed", "bounced", "deleted"]


class TurnedDown(DestinationError):
    """One request was, with the ``service_code`` of the answer, if it had one."""

    def __init__(self, message: str, action: str, service_code: int | None) -> None:
        super().__init__("request_refused", message, action)
        self.service_code = service_code


class NotImported(TurnedDown):
    """The whole request was turned down for something in one of its rows, and the service does not say which.

    ``service_code`` is UNREADABLE, or one that stands with a single row elsewhere: nobody has verified what the service
    answers when it refuses each row of a batch.
    """

    service_code: int


@dataclass(frozen=True)
class Failure:
    """A subscriber that was not imported. ``email`` is as the service writes it."""

    email: str
    code: int


@dataclass(frozen=True)
class Imported:
    """What became of one batch; ``duplicates`` are addresses that the service took for the same as another."""

    added: int
    updated: int
    failures: tuple[Failure, ...]
    duplicates: tuple[str, ...]


@dataclass(frozen=True)
class ListDetails:
    title: str
    confirmed_opt_in: bool


@dataclass(frozen=True)
class Field:
    """A custom field of a list: ``key`` without brackets; ``data_type`` in the service's words (``Date``, …);
    ``options`` of a field that has some."""

    key: str
    data_type: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page:
    """``members`` as the service gives them; ``pages`` and ``total`` are those of the whole state list."""

    members: tuple[dict[str, Any], ...]
    pages: int
    total: int


@dataclass(frozen=True)
class FoundList:
    """``id`` is the list_id of an export."""

    id: str
    title: str


@dataclass(frozen=True)
class FoundClient:
    """A client of the account, and its lists."""

    id: str
    name: str
    lists: tuple[FoundList, ...]


class Destination(Protocol):
    """One account. Threads may share it. Every call raises DestinationError when the service says no for good, and
    TemporaryError when it does not answer as it should, after several attempts."""

    def close(self) -> None: ...

    def interrupt(self) -> None:
        """Calls that wait for their next attempt give up instead."""

    def load(self) -> dict[str, int]:
        """How the service took the calls so far: how many there were (``calls``), how many of them were too much
        (``throttled``), how many it is let have in flight now (``in_flight``), and the least that it said was left of
        its limit (``remaining``), where it said so."""

    def check_key(self) -> None: ...

    def clients(self) -> tuple[FoundClient, ...]:
        """Those that the key can see."""

    def list_details(self, list_id: str) -> ListDetails: ...

    def custom_fields(self, list_id: str) -> tuple[Field, ...]: ...

    def create_field(self, list_id: str, key: str) -> None:
        """One for text. The service makes its key from its name, without spaces and signs."""

    def import_subscribers(self, list_id: str, subscribers: Sequence[bytes], *, resubscribe: bool) -> Imported:
        """``subscribers``: up to 1,000, each as JSON in UTF-8. Raises NotImported where none was taken."""

    def state_of(self, list_id: str, email: str) -> str | None:
        """``Active``, ``Unconfirmed``, ``Unsubscribed``, ``Bounced`` or ``Deleted``; None where the list never had
        it."""

    def unsubscribe(self, list_id: str, email: str) -> int | None:
        """The code with which the service said no; None where it is done, NOT_IN_LIST where it had been done before."""

    def delete(self, list_id: str, email: str) -> int | None:
        """As ``unsubscribe``."""

    def page(self, list_id: str, state: ListState, number: int) -> Page:
        """``number`` counts from 1. Ordered by address, so that changes in the meantime move as few as possible."""


class Destinations(Protocol):
    def open(
        self,
        key: Callable[[bool], SecretStr],
        *,
        at_once: int = 1,
        patient: bool = True,
        may_call: Callable[[], None] | None = None,
    ) -> Destination:
        """The account of a key. ``key`` gives it; called with True it reads it anew, which happens once, when the
        service turns the key down: it may have been changed. At most ``at_once`` calls are in flight.

        Not ``patient``, a call is tried once, and shorter: somebody waits for the answer. ``may_call`` is called before
        each attempt, to raise where nothing may be sent any more.
        """
