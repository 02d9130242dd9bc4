"""How stored records outlive versions: a field that this version does not know is read over, and written back."""

import json
from collections.abc import Collection
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from shared.errors import Unreadable


def read[T: BaseModel](model: type[T], data: bytes, name: str) -> T:
    """Raises Unreadable, with the ``name`` of the blob and nothing of what it holds, where a field that this version
    knows is not as it should be."""
    try:
        return model.model_validate_json(data, extra="ignore")
    except ValidationError:
        raise Unreadable(name) from None


def read_all[T: BaseModel](model: type[T], data: bytes, name: str) -> tuple[T, ...]:
    """Of a record that is a list. Raises as ``read`` does."""
    try:
        return TypeAdapter(tuple[model, ...]).validate_json(data, extra="ignore")  # type: ignore[valid-type]
    except ValidationError:
        raise Unreadable(name) from None


def written(
    record: BaseModel | tuple[BaseModel, ...],
    before: bytes | None = None,
    *,
    exclude_defaults: bool = False,
    replaced: Collection[str] = (),
) -> bytes:
    """The record as JSON, with all that ``before``, the JSON that it replaces, has beside: a newer version wrote it,
    and will look for it. Without ``before`` it is a new record, also where it stands in the place of another.

    Entries of a list are the same where their ``key`` is, or, where they have none, all that is known of them; the
    fields ``replaced`` are others than before, and keep nothing of it."""
    new = _plain(record, exclude_defaults=exclude_defaults)
    old = _parsed(before) if before else None
    if isinstance(old, dict):
        old = {name: value for name, value in old.items() if name not in replaced}
    known = _plain(record) if exclude_defaults else new
    indent = None if exclude_defaults else 1
    return json.dumps(_with_unknown(new, known, old), indent=indent, ensure_ascii=False).encode()


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return None  # nothing of it can be kept


def _plain(record: BaseModel | tuple[BaseModel, ...], *, exclude_defaults: bool = False) -> Any:
    if isinstance(record, tuple):
        return [_plain(one, exclude_defaults=exclude_defaults) for one in record]
    return record.model_dump(mode="json", exclude_defaults=exclude_defaults)


def _with_unknown(new: Any, known: Any, old: Any) -> Any:
    if isinstance(new, dict) and isinstance(old, dict):
        kept = {name: _with_unknown(value, known.get(name), old.get(name)) for name, value in new.items()}
        return kept | {name: value for name, value in old.items() if name not in known}
    if isinstance(new, list) and isinstance(old, list):
        return [_with_unknown(one, one, _same(one, old)) if isinstance(one, dict) else one for one in new]
    return new


def _same(one: dict[str, Any], old: list[Any]) -> Any:
    for other in old:
        if isinstance(other, dict) and (
            other.get("key") == one["key"] if "key" in one else one.items() <= other.items()
        ):
            return other
    return None
