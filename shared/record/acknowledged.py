"""What an export knows of each address on its list: what was confirmed, refused, or deleted again.

One Parquet file for each export and list: email (as it was sent), hash (of the subscriber as it was sent), state.
"""

from enum import IntEnum


class State(IntEnum):
    """Other numbers, all below 1,000, are codes of the service: why it refused the subscriber."""

    CONFIRMED = 0  # on the list, and was so before, or nobody can tell
    ADDED = 1001  # on the list, and put there by this export: the only ones that it may take away
    DELETED = 1002  # put there and deleted by this export, and active until then: may be put back


HELD = (State.CONFIRMED, State.ADDED)  # on the list, as far as this export knows


def name(export: str, list_id: str) -> str:
    """That of the blob."""
    return f"exports/{export}/acknowledged-{list_id}.parquet"
