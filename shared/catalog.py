"""What is configured: connections and exports, and what is allowed in each field of them."""

import json
from datetime import UTC, datetime
from typing import Annotated, Literal

from cronsim import CronSim, CronSimError
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from shared.errors import ConfigurationError

NAME_IN_VAULT = r"^[0-9A-Za-z-]{1,127}$"
ID_FORM = r"^[a-z0-9][a-z0-9-]{0,62}$"

Id = Annotated[str, StringConstraints(pattern=ID_FORM)]
DisplayName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Column = Annotated[str, StringConstraints(min_length=1, max_length=512)]
SegmentName = Annotated[str, StringConstraints(pattern=r"^[^/\\\x00-\x1f\x7f]+/[^/\\\x00-\x1f\x7f]+$", max_length=512)]

SEGMENT_FORM = "Allowed is <export folder>/<table>, such as BlobExport/HighValueSegment."


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

    agreed_by: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=320)]
    agreed_at: AwareDatetime


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

    key: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=250)]
    column: Column


class Mapping(_Document):
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


class ExportSettings(_Document):
    """Which segments go to which list, how, and when. Without a connection the export is detached: it does not run."""

    display_name: DisplayName
    connection: Id | None
    list_id: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{1,64}$")]
    segments: Annotated[tuple[SegmentName, ...], Field(min_length=1, max_length=100)]
    mapping: Mapping
    schedule: str | None = "refresh"
    enabled: Annotated[bool, Field(strict=True)] = True
    mode: Literal["changes", "everything"] = "changes"
    removals: Literal["keep", "unsubscribe", "delete"] = "keep"
    resubscribe: Annotated[bool, Field(strict=True)] = False
    max_profiles: Annotated[int, Field(strict=True, ge=1, le=100_000_000)] = 1_000_000
    max_age_hours: Annotated[int, Field(strict=True, ge=1, le=24 * 366)] | None = None

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


class Export(ExportSettings, _Named):
    pass


def field_key(key: str) -> str:
    """A custom field's key as it is compared: the service gives it with brackets and takes it without, in any case
    (fixtures of its clients show ``[website]``, ``website`` and ``subscription date`` for fields of one kind)."""
    return key.strip().removeprefix("[").removesuffix("]").replace(" ", "").casefold()


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
        f"{field}: {said_of(complaint['type'], complaint['msg'])}"
        for field, complaint in zip(fields, complaints, strict=True)
    ]
    return ConfigurationError(
        "invalid",
        f"{where} cannot be taken: {'; '.join(said)}.",
        "Correct what is named, and save again.",
        field=fields[0],
    )


def said_of(kind: str, message: str) -> str:
    """Pydantic's complaint in words; never with the value that it complains of."""
    return {"missing": "is required", "extra_forbidden": "is not a known field"}.get(
        kind, message.removeprefix("Value error, ")
    )
