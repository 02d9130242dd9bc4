"""Whether the list is there, and whether it has the fields that the mapping names."""

from shared.catalog.documents import Export, field_key
from shared.errors import ConfigurationError, DestinationError
from shared.plan.segment_options import must_take
from shared.ports.destination import Destination, Field
from shared.ports.threads import Threads


def preflight(account: Destination, export: Export, threads: Threads) -> dict[str, Field]:
    """The custom fields of the list by their key. An unknown field would be dropped without an error, so all that the
    mapping names must be there. Raises DestinationError."""
    with threads.crew(3) as crew:  # at once: the service may be slow
        key = crew.start(account.check_key)
        details = crew.start(lambda: account.list_details(export.list_id))
        found = crew.start(lambda: list_fields(account, export.list_id))
        # A key that is turned down is told as such, whatever the others met.
        key.result()
        details.result()
        fields = found.result()
    must_have_fields(export, fields)
    return fields


def list_fields(account: Destination, list_id: str) -> dict[str, Field]:
    """The custom fields of the list by their ``field_key``."""
    return {field_key(field.key): field for field in account.custom_fields(list_id)}


def must_have_fields(export: Export, fields: dict[str, Field]) -> None:
    """Raises DestinationError, or ConfigurationError where two things are to go to one field."""
    named = [field.key for field in export.mapping.custom_fields]
    if export.mapping.segments_field:
        named.append(export.mapping.segments_field)
    twice = [key for key in named[:-1] if field_key(key) == field_key(named[-1])]
    if twice:
        raise ConfigurationError(
            "field_twice",
            f"The field {twice[0]} takes a column and the names of the segments.",
            "Name another one as segments_field of the mapping.",
            field="mapping.segments_field",
        )
    missing = [key for key in named if field_key(key) not in fields]
    if missing:
        raise DestinationError(
            "fields_missing",
            f"The list has no custom field {', '.join(missing)}, which the mapping of the export names.",
            f"Its fields are: {', '.join(field.key for field in fields.values()) or 'none'}. Create what is missing in "
            "Campaign Monitor, or correct the mapping.",
        )
    if export.mapping.segments_field:
        must_take(fields[field_key(export.mapping.segments_field)], export.segments)
