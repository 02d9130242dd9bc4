"""What is configured: connections and exports, and what is allowed in each field of them."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from cronsim import CronSim, CronSimError
from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    ValidationError,
    field_validator,
)
from pydantic_core import ErrorDetails

from shared.errors import ConfigurationError

NAME_IN_VAULT = r"^[0-9A-Za-z-]{1,127}$"
ID_FORM = r"^[a-z0-9][a-z0-9-]{0,62}$"
LIST_ID = r"^[0-9A-Za-z]{1,64}$"
# The name of a folder: neither . nor .., and without what a path cannot hold.
_SIGN = r"[^/\\\x00-\x1f\x7f]"
_PART = rf"([^./\\\x00-\x1f\x7f]{_SIGN}*|\.[^./\\\x00-\x1f\x7f]{_SIGN}*|\.\.{_SIGN}+)"
SEGMENT_FORM = f"^{_PART}/{_PART}$"

_ALLOWED = {
    ID_FORM: "allowed are up to 63 lower-case letters, digits and hyphens, of which the first is no hyphen",
    NAME_IN_VAULT: "allowed are up to 127 letters, digits and hyphens",
    LIST_ID: "allowed is the API list ID that the settings of the list show",
    SEGMENT_FORM: "allowed is <export folder>/<table>, such as BlobExport/HighValueSegment",
    r"\S": "may not be empty",
}

Id = Annotated[str, StringConstraints(pattern=ID_FORM)]
DisplayName = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"\S", max_length=200)]
FieldKey = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"\S", max_length=250)]
Column = Annotated[str, StringConstraints(min_length=1, max_length=512)]
SegmentName = Annotated[str, StringConstraints(pattern=SEGMENT_FORM, max_length=512)]


def _no_number(value: object) -> object:
    """Pydantic would take one for seconds since 1970."""
    if isinstance(value, int | float):
        raise ValueError("allowed is a time with its zone, such as 2026-11-23T09:00:00Z")
    return value


def _number(value: object) -> object:
    """JSON knows no whole numbers: 5.0 is one, but neither true nor "5" is a number."""
    if isinstance(value, bool | str):
        raise ValueError("allowed is a whole number")
    return value


_WHOLE = BeforeValidator(_number)
Timestamp = Annotated[AwareDatetime, BeforeValidator(_no_number)]
Schedule = Annotated[
    str,
    Field(
        description="`refresh`, or five fields of cron in UTC.",
        examples=["refresh", "30 2 * * *"],
        json_schema_extra={"format": "cron"},
    ),
]
_UNIQUE: dict[str, JsonValue] = {"uniqueItems": True}


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Saved(_Document):
    """Who saved a document and when. ``scheduled_at`` is since when an export has had its schedule."""

    created_at: datetime
    created_by: str
    changed_at: datetime
    changed_by: str
    scheduled_at: datetime


class _Named(_Document):
    id: Id
    saved: Saved | None = None


class Consent(_Document):
    """Who agreed that personal data leaves Customer Insights for Campaign Monitor, and when."""

    agreed_by: Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"\S", max_length=320)]
    agreed_at: Timestamp


class ConnectionSettings(_Document):
    """One account of Campaign Monitor. Its key stays in Key Vault, under ``secret_name``."""

    display_name: DisplayName
    secret_name: Annotated[str, StringConstraints(pattern=NAME_IN_VAULT)]
    usable_by: Literal["admins", "contributors"] = "admins"
    consent: Consent | None = None


class Connection(ConnectionSettings, _Named):
    pass


class CustomField(_Document):
    """``key`` is the personalisation tag of a field of the list, with or without its brackets."""

    key: FieldKey
    column: Column


class Mapping(_Document):
    """Which column of the segment becomes what of the subscriber. ``segments_field`` is the key of a field of the list
    for many options, which are the names of the segments that the subscriber is in."""

    email: Column
    first_name: Column | None = None
    last_name: Column | None = None
    mobile_number: Column | None = None
    custom_fields: tuple[CustomField, ...] = ()
    segments_field: FieldKey | None = None
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


class ExportSettings(_Document):
    """Which segments go to which list, how, and when. Without a connection the export is detached: it does not run."""

    display_name: DisplayName
    connection: Id | None
    list_id: Annotated[str, StringConstraints(pattern=LIST_ID)]
    segments: Annotated[tuple[SegmentName, ...], Field(min_length=1, max_length=100, json_schema_extra=_UNIQUE)]
    mapping: Mapping
    schedule: Schedule | None = "refresh"
    enabled: Annotated[bool, Field(strict=True)] = True
    mode: Literal["changes", "everything"] = "changes"
    removals: Literal["keep", "unsubscribe", "delete"] = "keep"
    max_removal_percent: Annotated[int, Field(ge=0, le=100), _WHOLE] = 20
    resubscribe: Annotated[bool, Field(strict=True)] = False
    max_profiles: Annotated[int, Field(ge=1, le=100_000_000), _WHOLE] = 1_000_000
    max_age_hours: Annotated[int, Field(ge=1, le=24 * 366), _WHOLE] | None = None

    @field_validator("segments")
    @classmethod
    def _each_segment_once(cls, segments: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(segments)) < len(segments):
            raise ValueError("each segment may stand here once")
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
            CronSim(schedule, datetime(2026, 1, 1, tzinfo=UTC))
        except CronSimError as error:
            raise ValueError(f"{allowed} ({error})") from None
        return schedule


class Export(ExportSettings, _Named):
    pass


def field_key(key: str) -> str:
    """A custom field's key as it is compared: the service gives it with brackets and takes it without, in any case
    (fixtures of its clients show ``[website]``, ``website`` and ``subscription date`` for fields of one kind)."""
    return key.strip().removeprefix("[").removesuffix("]").replace(" ", "").casefold()


def parse[T: BaseModel](model: type[T], data: bytes | dict[str, object], where: str) -> T:
    """What a caller gives. Raises ConfigurationError that names each wrong field and what is allowed, never the value
    that it holds."""
    return _parsed(model, data, where, "forbid")


def parse_stored[T: BaseModel](model: type[T], data: bytes, where: str) -> T:
    """As ``parse``, of what is saved: a field that this version does not know is one of a newer version."""
    return _parsed(model, data, where, "ignore")


def _parsed[T: BaseModel](
    model: type[T], data: bytes | dict[str, object], where: str, extra: Literal["forbid", "ignore"]
) -> T:
    try:
        document = json.loads(data) if isinstance(data, bytes) else data
        return model.model_validate_json(json.dumps(document), extra=extra)
    except json.JSONDecodeError as error:
        raise ConfigurationError(
            "not_json", f"{where} is not JSON: {error.msg} in line {error.lineno}.", "Save it anew."
        ) from None
    except ValidationError as error:
        raise _invalid(error, where) from None


def _invalid(error: ValidationError, where: str) -> ConfigurationError:
    complaints = error.errors(include_url=False, include_input=False)
    fields = [".".join(str(part) for part in complaint["loc"]) or "the document" for complaint in complaints]
    said = [f"{field}: {said_of(complaint)}" for field, complaint in zip(fields, complaints, strict=True)]
    return ConfigurationError(
        "invalid",
        f"{where} cannot be taken: {'; '.join(said)}.",
        "Correct what is named, and save again.",
        field=fields[0],
    )


def said_of(complaint: dict[str, Any] | ErrorDetails) -> str:
    """What Pydantic complains of, in words; never with the value."""
    known = {"missing": "is required", "extra_forbidden": "is not a known field"}
    allowed = _ALLOWED.get(str(complaint.get("ctx", {}).get("pattern")))
    return known.get(complaint["type"]) or allowed or str(complaint["msg"]).removeprefix("Value error, ")
