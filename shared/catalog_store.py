"""The saved connections and exports in the container ``export-catalog``, one JSON blob each, with their ETags."""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.catalog import Connection, Export, Saved, parse
from shared.errors import Changed, ConfigurationError, Conflict, NotFound
from shared.storage import Blob, Container

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
    def __init__(self, container: Container) -> None:
        self._container = container
        # By the name of the blob, what was read last, as long as the listing gives the same ETag.
        self._read: dict[str, tuple[str, Connection | Export | None]] = {}

    def connection(self, id_: str) -> Connection:
        return self.kept(Connection, id_).item

    def export(self, id_: str) -> Export:
        return self.kept(Export, id_).item

    def connections(self) -> Iterator[Connection]:
        return self._all(Connection)

    def exports(self) -> Iterator[Export]:
        return self._all(Export)

    def scheduled_at(self, export: Export) -> datetime:
        """Since when the export has had its schedule."""
        if export.saved:
            return export.saved.scheduled_at
        name = _name(Export, export.id)
        found = (info.modified for info in self._container.list(name) if info.name == name)
        return next(found, datetime.now(UTC))

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
        try:
            return Kept(parse(model, blob.data, name), blob.etag)
        except ConfigurationError as error:
            raise Conflict("unreadable", f"What is saved cannot be read: {error.message}", "Save it anew.") from error

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
        while True:
            old = self._container.read(name)
            only_if.check(old.etag if old else None, name)
            saved = _stamp(item, _readable(type(item), old, name), by, now or datetime.now(UTC))
            item = item.model_copy(update={"saved": saved})
            data = item.model_dump_json(indent=2).encode()
            try:
                etag = self._container.write(name, data, replaces=old.etag if old else None, new=old is None)
            except Changed:
                continue
            return Kept(item, etag, new=old is None)

    def change_export(self, id_: str, how: Callable[[Export], Export], *, by: str, now: datetime) -> None:
        """Saves what ``how`` makes of the newest; ``how`` may be called again when somebody else wrote first, and
        leaves the document as it is by giving back what it got. One that is gone stays gone."""
        while True:
            try:
                kept = self.kept(Export, id_)
                new = how(kept.item)
                if new != kept.item:
                    self.save(new, by=by, now=now, only_if=Precondition(match=(kept.etag,)))
            except Changed:
                continue
            except NotFound:
                pass
            return

    def remove[T: (Connection, Export)](self, item: T, *, only_if: Precondition = Precondition()) -> None:
        """Raises Changed where ``only_if`` does not hold."""
        name = _name(type(item), item.id)
        while True:
            old = self._container.read(name)
            only_if.check(old.etag if old else None, name)
            if old is None:
                return
            try:
                self._container.delete(name, etag=old.etag)
            except Changed:
                continue
            return

    def _all[T: (Connection, Export)](self, model: type[T]) -> Iterator[T]:
        """By their ids. A document that cannot be read is passed over, so that it does not hide the others."""
        listed = list(self._container.list(f"{model.__name__.lower()}s/"))
        new = [one.name for one in listed if self._read.get(one.name, ("", None))[0] != _plain(one.etag)]
        with ThreadPoolExecutor(READ_AT_ONCE) as pool:
            for name, blob in zip(new, pool.map(self._container.read, new), strict=True):
                self._read[name] = (_plain(blob.etag) if blob else "", _readable(model, blob, name))
        for one in listed:
            item = self._read[one.name][1]
            if isinstance(item, model):
                yield item


def _plain(etag: str) -> str:
    """A listing gives it without the quotes of the header."""
    return etag.strip('"')


def _name(model: type[Connection | Export], id_: str) -> str:
    return f"{model.__name__.lower()}s/{id_}.json"


def _readable[T: (Connection, Export)](model: type[T], blob: Blob | None, name: str) -> T | None:
    try:
        return parse(model, blob.data, name) if blob else None
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
