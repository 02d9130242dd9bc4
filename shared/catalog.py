"""What is configured: connections and exports, as they are saved, one JSON blob each."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Literal

from cronsim import CronSim, CronSimError
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from shared.errors import ConfigurationError, NotFound
from shared.storage import Container

Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
DisplayName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Column = Annotated[str, StringConstraints(min_length=1, max_length=512)]
SegmentName = Annotated[str, StringConstraints(pattern=r"^[^/\\\x00-\x1f\x7f]+/[^/\\\x00-\x1f\x7f]+$", max_length=512)]

SEGMENT_FORM = "Allowed is <export folder>/<table>, such as BlobExport/HighValueSegment."


class _Saved(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Consent(_Saved):
    """Who agreed that personal data leaves Customer Insights for Campaign Monitor, and when."""

    agreed_by: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=320)]
    agreed_at: datetime


class Connection(_Saved):
    """One account of Campaign Monitor. Its key stays in Key Vault, under ``secret_name``."""

    id: Id
    display_name: DisplayName
    secret_name: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{1,127}$")]
    usable_by: Literal["admins", "contributors"] = "admins"
    consent: Consent | None = None


class CustomField(_Saved):
    """``key`` is the personalisation tag of a field of the list, with or without its brackets."""

    key: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=250)]
    column: Column


class Mapping(_Saved):
    """Which column of the segment becomes what of the subscriber."""

    email: Column
    first_name: Column | None = None
    last_name: Column | None = None
    mobile_number: Column | None = None
    custom_fields: tuple[CustomField, ...] = ()
    consent_to_track: Literal["Yes", "No", "Unchanged"] = "Unchanged"

    @field_validator("custom_fields")
    @classmethod
    def _each_field_once(cls, fields: tuple[CustomField, ...]) -> tuple[CustomField, ...]:
        keys = [field_key(field.key) for field in fields]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise ValueError(f"each custom field takes one column, and {', '.join(twice)} has several")
        return fields

    def columns(self) -> tuple[str, ...]:
        """Every column that the mapping needs, each once, the email first."""
        named = [self.email, self.first_name, self.last_name, self.mobile_number]
        named += [field.column for field in self.custom_fields]
        return tuple(dict.fromkeys(column for column in named if column))


class Export(_Saved):
    """Which segments go to which list, how, and when."""

    id: Id
    display_name: DisplayName
    connection: Id
    list_id: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{1,64}$")]
    segments: Annotated[tuple[SegmentName, ...], Field(min_length=1, max_length=100)]
    mapping: Mapping
    schedule: str | None = "refresh"
    enabled: bool = True
    mode: Literal["changes", "everything"] = "changes"
    removals: Literal["keep", "unsubscribe", "delete"] = "keep"
    resubscribe: bool = False
    max_profiles: Annotated[int, Field(ge=1, le=100_000_000)] = 1_000_000

    @field_validator("segments")
    @classmethod
    def _each_segment_once(cls, segments: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(segments)) < len(segments):
            raise ValueError("each segment may stand here once")
        if any(part in (".", "..") for segment in segments for part in segment.split("/")):
            raise ValueError(SEGMENT_FORM)
        return segments

    @field_validator("schedule")
    @classmethod
    def _a_known_schedule(cls, schedule: str | None) -> str | None:
        if schedule is None or schedule == "refresh":
            return schedule
        allowed = "allowed is refresh, five fields of cron in UTC such as 30 2 * * *, or null"
        if len(schedule.split()) != 5:
            raise ValueError(allowed)
        try:
            CronSim(schedule, datetime.now(UTC))
        except CronSimError as error:
            raise ValueError(f"{allowed} ({error})") from None
        return schedule


def field_key(key: str) -> str:
    """A custom field's key as it is compared: the service gives it with brackets and takes it without, in any case
    (fixtures of its clients show ``[website]``, ``website`` and ``subscription date`` for fields of one kind)."""
    return key.strip().removeprefix("[").removesuffix("]").replace(" ", "").casefold()


class Catalog:
    """The saved connections and exports in the container ``export-catalog``."""

    def __init__(self, container: Container) -> None:
        self._container = container

    def connection(self, id_: str) -> Connection:
        return self._one(Connection, "connections", id_)

    def export(self, id_: str) -> Export:
        return self._one(Export, "exports", id_)

    def connections(self) -> Iterator[Connection]:
        return self._all(Connection, "connections")

    def exports(self) -> Iterator[Export]:
        return self._all(Export, "exports")

    def saved_at(self, export: Export) -> datetime:
        """When the export was last saved."""
        name = f"exports/{export.id}.json"
        found = (info.modified for info in self._container.list(name) if info.name == name)
        return next(found, datetime.now(UTC))

    def save(self, item: Connection | Export) -> None:
        kind = "connections" if isinstance(item, Connection) else "exports"
        self._container.write(f"{kind}/{item.id}.json", item.model_dump_json(indent=2).encode())

    def remove(self, item: Connection | Export) -> None:
        kind = "connections" if isinstance(item, Connection) else "exports"
        self._container.delete(f"{kind}/{item.id}.json")

    def _one[T: (Connection, Export)](self, model: type[T], kind: str, id_: str) -> T:
        blob = self._container.read(f"{kind}/{id_}.json")
        if blob is None:
            raise NotFound(
                f"{kind[:-1]}_not_found",
                f"There is no {kind[:-1]} {id_}.",
                f"GET /api/{kind} lists those that there are.",
            )
        return parse(model, blob.data, f"{kind}/{id_}.json")

    def _all[T: (Connection, Export)](self, model: type[T], kind: str) -> Iterator[T]:
        for info in self._container.list(f"{kind}/"):
            blob = self._container.read(info.name)
            if blob is not None:
                yield parse(model, blob.data, info.name)


def parse[T: BaseModel](model: type[T], data: bytes | dict[str, object], where: str) -> T:
    """Raises ConfigurationError that names each wrong field and what is allowed, never the value that it holds."""
    try:
        document = json.loads(data) if isinstance(data, bytes) else data
        return model.model_validate_json(json.dumps(document))
    except json.JSONDecodeError as error:
        raise ConfigurationError(
            "not_json", f"{where} is not JSON: {error.msg} in line {error.lineno}.", "Save it anew."
        ) from None
    except ValidationError as error:
        raise _invalid(error, where) from None


def _invalid(error: ValidationError, where: str) -> ConfigurationError:
    complaints = error.errors(include_url=False, include_input=False)
    fields = [".".join(str(part) for part in complaint["loc"]) or "the document" for complaint in complaints]
    said = [
        f"{field}: {_in_words(complaint['type'], complaint['msg'])}"
        for field, complaint in zip(fields, complaints, strict=True)
    ]
    return ConfigurationError(
        "invalid",
        f"{where} cannot be taken: {'; '.join(said)}.",
        "Correct what is named, and save again.",
        field=fields[0],
    )


def _in_words(kind: str, message: str) -> str:
    return {"missing": "is required", "extra_forbidden": "is not a known field"}.get(
        kind, message.removeprefix("Value error, ")
    )
