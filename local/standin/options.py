"""Behaviour that nobody outside the service has verified, as named options, and what a test wants to slow down.

Every default is the choice that is harder on a client, unless the README's table says why not.
"""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(ge=0, le=3600)]
Count = Annotated[int, Field(ge=0)]


class Options(BaseModel):
    """A frozen set; a change over the control path replaces the whole of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # Authentication
    missing_auth_code: Literal[100, 50] = 100
    unknown_list: Literal["401", "400", "404"] = "401"
    refresh_rotates: bool = True
    invalid_grant_status: Literal[200, 400] = 200

    # Import: the request
    import_status: Literal[201, 200] = 201
    all_refused: Literal["210", "first-code"] = "210"
    missing_consent_code: Literal[214, -213] = 214
    invalid_consent: Literal["deserialise", "215"] = "deserialise"
    consent_scope: Literal["request", "row"] = "request"
    bad_mobile: Literal["row", "request"] = "row"

    # Import: the rows
    duplicate_winner: Literal["first", "last"] = "last"
    email_spaces: Literal["refuse", "trim"] = "refuse"
    refused_row_fields: Literal["updated", "kept"] = "updated"
    suppressed_newcomer: Literal["refuse", "add"] = "refuse"
    suppression_first: bool = True
    unchanged_consent_of_newcomer: Literal["yes", "unknown"] = "yes"

    # Single subscribers
    repeated_removal: Literal["203", "200"] = "203"

    # Custom fields
    long_value: Literal["drop", "truncate", "fail"] = "drop"
    bad_value: Literal["drop", "fail"] = "drop"
    undefined_option: Literal["drop", "store", "fail"] = "drop"
    empty_value: Literal["ignored", "clears"] = "ignored"
    import_select_many: Literal["merge", "replace"] = "merge"
    record_key: Literal["name", "tag"] = "name"

    # How the server carries itself
    counting: bool = False
    latency: Seconds = 0
    latency_per_1000: Seconds = 0
    add_delay: Seconds = 0
    calls_at_once: Count = 0
    calls_per_second: Count = 0
    same_address_seconds: Seconds = 0
    compress: Literal["accepted", "never"] = "accepted"
    now: datetime | None = None

    def moment(self) -> datetime:
        """The stand-in's present, in UTC; a `now` without a zone is taken as UTC."""
        present = self.now or datetime.now(UTC)
        return present.astimezone(UTC) if present.tzinfo else present.replace(tzinfo=UTC)
