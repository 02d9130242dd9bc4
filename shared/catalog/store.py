"""The saved connections and exports in the container ``export-catalog``, one JSON blob each, with their ETags."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from shared import stored_record
from shared.catalog.documents import Connection, Export, Saved, parse_stored
from shared.errors import Changed, ConfigurationError, Conflict, NotFound
from shared.ports.blobs import Blob, Blobs, same_etag
from shared.ports.clock import Clock
from shared.ports.compare_and_swap import compare_and_swap
from shared.ports.threads import Threads, each

READ_AT_ONCE = 8  # documents; the SDK keeps ten connections

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Precondition:
    """What must hold for a write, as If-Match and If-None-Match say it: ``match`` are the ETags of which the document
    must have one (``*`` is any), None where everything is right; ``new`` that there is none."""

    match: tuple[str, ...] | None = None
    new: bool = False

    def check(self, etag: str | None, name: str) -> None:
        """Raises Changed."""
        if self.new and etag is not None:
            raise Changed(name)
        if self.match is not None and (etag is None or not {"*", etag} & set(self.match)):
            raise Changed(name)


@dataclass(frozen=True)
class Kept[T: (Connection, Export)]:
    """A document, and the ETag that it has now."""

    item: T
    etag: str
    new: bool = False


class Catalog:
    def __init__(self, container: Blobs, clock: Clock, threads: Threads) -> None:
        self._container = container
        self._clock = clock
        self._threads = threads
        # By the name of the blob, what was read last, as long as the listing gives the same ETag.
        self._read: dict[str, tuple[str, Connection | Export | None]] = {}

    def connection(self, id_: str) -> Connection:
        return self.kept(Connection, id_).item

    def export(self, id_: str) -> Export:
        return self.kept(Export, id_).item

    def connections(self) -> Iterator[Connection]:
        return self._all(Connection)

    def exports(self, *, unreadable: Callable[[str], None] = lambda _: None) -> Iterator[Export]:
        """``unreadable`` is called with the id of each that cannot be read."""
        return self._all(Export, unreadable)

    def scheduled_at(self, export: Export) -> datetime:
        """Since when the export has had its schedule."""
        if export.saved:
            return export.saved.scheduled_at
        name = _name(Export, export.id)
        found = (info.modified for info in self._container.list(name) if info.name == name)
        return next(found, self._clock.now())

    def kept[T: (Connection, Export)](self, model: type[T], id_: str) -> Kept[T]:
        """Raises NotFound."""
        name = _name(model, id_)
        blob = self._container.read(name)
        if blob is None:
            kind = model.__name__.lower()
            raise NotFound(
                f"{kind}_not_found",
                f"There is no {kind} {id_}.",
                f"GET /api/{kind}s lists those that there are.",
            )
        return Kept(_parsed(model, blob, name), blob.etag)

    def save[T: (Connection, Export)](
        self,
        item: T,
        *,
        by: str = "",
        now: datetime | None = None,
        only_if: Precondition = Precondition(),
    ) -> Kept[T]:
        """Keeps who created it, and records who changed it. Raises Changed where ``only_if`` does not hold; of two
        that write at the same time without a condition, the later one replaces the whole document of the other."""
        name = _name(type(item), item.id)
        at, is_new, stamped = now or self._clock.now(), False, item

        def decide(old: Blob | None) -> bytes:
            nonlocal is_new, stamped
            only_if.check(old.etag if old else None, name)
            is_new = old is None
            before = _readable(type(item), old, name)
            stamped = item.model_copy(update={"saved": _stamp(item, before, by, at)})
            given_anew = (
                isinstance(item, Connection) and isinstance(before, Connection) and item.consent != before.consent
            )
            return stored_record.written(
                stamped, old.data if old and before else None, replaced=("consent",) if given_anew else ()
            )

        swapped = compare_and_swap(self._container, name, decide)
        return Kept(stamped, swapped.etag, new=is_new)

    def change_export(self, id_: str, how: Callable[[Export], Export], *, by: str, now: datetime) -> None:
        """Saves what ``how`` makes of the newest; ``how`` may be called again when somebody else wrote first, and
        leaves the document as it is by giving back what it got. One that is gone stays gone."""
        name = _name(Export, id_)

        def decide(old: Blob | None) -> bytes | None:
            if old is None:
                return None
            before = _parsed(Export, old, name)
            after = how(before)
            if after == before:
                return old.data
            return stored_record.written(after.model_copy(update={"saved": _stamp(after, before, by, now)}), old.data)

        compare_and_swap(self._container, name, decide)

    def remove[T: (Connection, Export)](self, item: T, *, only_if: Precondition = Precondition()) -> None:
        """Raises Changed where ``only_if`` does not hold."""
        name = _name(type(item), item.id)

        def decide(old: Blob | None) -> bytes | None:
            only_if.check(old.etag if old else None, name)
            return None

        compare_and_swap(self._container, name, decide)

    def _all[T: (Connection, Export)](
        self, model: type[T], unreadable: Callable[[str], None] = lambda _: None
    ) -> Iterator[T]:
        """By their ids. A document that cannot be read is passed over, so that it does not hide the others."""
        listed = list(self._container.list(f"{model.__name__.lower()}s/"))
        new = [one.name for one in listed if not same_etag(self._read.get(one.name, ("", None))[0], one.etag)]
        blobs = each(self._threads, self._container.read, new, at_once=READ_AT_ONCE)
        for name, blob in zip(new, blobs, strict=True):
            self._read[name] = (blob.etag if blob else "", _readable(model, blob, name))
        for one in listed:
            item = self._read[one.name][1]
            if isinstance(item, model):
                yield item
            elif self._read[one.name][0]:
                unreadable(one.name.rpartition("/")[2].removesuffix(".json"))


def _name(model: type[Connection | Export], id_: str) -> str:
    return f"{model.__name__.lower()}s/{id_}.json"


def _parsed[T: (Connection, Export)](model: type[T], blob: Blob, name: str) -> T:
    """Raises Conflict where it cannot be read."""
    try:
        return parse_stored(model, blob.data, name)
    except ConfigurationError as error:
        raise Conflict("unreadable", f"What is saved cannot be read: {error.message}", "Save it anew.") from error


def _readable[T: (Connection, Export)](model: type[T], blob: Blob | None, name: str) -> T | None:
    try:
        return parse_stored(model, blob.data, name) if blob else None
    except ConfigurationError as error:
        _log.error("%s", error)
        return None


def _stamp(new: Connection | Export, old: Connection | Export | None, by: str, now: datetime) -> Saved:
    before = (
        old.saved
        if old and old.saved
        else Saved(created_at=now, created_by=by, changed_at=now, changed_by=by, scheduled_at=now)
    )
    same = (
        isinstance(new, Export)
        and isinstance(old, Export)
        and (new.schedule, new.enabled) == (old.schedule, old.enabled)
    )
    return before.model_copy(
        update={"changed_at": now, "changed_by": by, "scheduled_at": before.scheduled_at if same else now}
    )
