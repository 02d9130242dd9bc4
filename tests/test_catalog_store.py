"""Documents in their container: who saved them, what cannot be read, and two that write at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from world import World

from shared.catalog.documents import Export
from shared.catalog.store import Precondition
from shared.errors import Changed, Conflict, NotFound

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def renamed(export: Export, name: str) -> Export:
    return export.model_copy(update={"display_name": name})


def test_who_saved_it_and_since_when_it_has_its_schedule(world: World) -> None:
    catalog, export = world.app.catalog, world.save().model_copy(update={"id": f"s-{world.id}"})
    hour = timedelta(hours=1)

    made = catalog.save(export, by="ann", now=NOON)
    named = catalog.save(renamed(made.item, "Other"), by="bob", now=NOON + hour)
    timed = catalog.save(named.item.model_copy(update={"schedule": None}), by="cid", now=NOON + 2 * hour)
    paused = catalog.save(timed.item.model_copy(update={"enabled": False}), by="cid", now=NOON + 3 * hour)
    again = catalog.save(paused.item.model_copy(update={"enabled": True}), by="cid", now=NOON + 4 * hour)

    assert (made.new, named.new) == (True, False)
    saved = timed.item.saved
    assert saved and (saved.created_by, saved.created_at) == ("ann", NOON)
    assert (saved.changed_by, saved.changed_at) == ("cid", NOON + 2 * hour)
    assert named.item.saved and named.item.saved.scheduled_at == NOON
    assert saved.scheduled_at == NOON + 2 * hour
    assert again.item.saved
    assert again.item.saved.scheduled_at == NOON + 4 * hour  # what it slept through is over


def test_who_created_it_cannot_be_told_by_the_document(world: World) -> None:
    catalog, export = world.app.catalog, world.save()
    assert export.saved is None
    theirs = catalog.save(export, by="ann", now=NOON).item

    kept = catalog.save(
        theirs.model_copy(update={"saved": theirs.saved.model_copy(update={"created_by": "eve"})}), by="eve"
    )  # type: ignore[union-attr]

    assert kept.item.saved and kept.item.saved.created_by != "eve"


def test_of_many_that_write_on_the_same_version_one_wins(world: World) -> None:
    catalog, export = world.app.catalog, world.save()
    etag = catalog.kept(Export, export.id).etag

    def save(number: int) -> bool:
        try:
            catalog.save(renamed(export, str(number)), only_if=Precondition(match=(etag,)))
        except Changed:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(save, range(8))) == 1


def test_of_many_that_make_the_same_one_wins(world: World) -> None:
    catalog, export = world.app.catalog, world.save().model_copy(update={"id": f"n-{world.id}"})

    def save(number: int) -> bool:
        try:
            catalog.save(renamed(export, str(number)), only_if=Precondition(new=True))
        except Changed:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(save, range(8))) == 1


def test_a_change_of_the_newest_loses_no_other(world: World) -> None:
    catalog, export = world.app.catalog, world.save(max_profiles=1)

    def more(_: int) -> None:
        catalog.change_export(
            export.id,
            lambda one: one.model_copy(update={"max_profiles": one.max_profiles + 1}),
            by="ann",
            now=NOON,
        )

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(more, range(16)))

    assert catalog.export(export.id).max_profiles == 17


def test_a_change_of_what_is_gone_makes_nothing(world: World) -> None:
    catalog, export = world.app.catalog, world.save()
    catalog.remove(export)

    catalog.change_export(export.id, lambda one: renamed(one, "Back"), by="ann", now=NOON)

    with pytest.raises(NotFound):
        catalog.export(export.id)


def test_a_document_that_cannot_be_read_hides_no_other_and_can_be_saved_anew(world: World) -> None:
    catalog, export = world.app.catalog, world.save()
    broken = export.model_copy(update={"id": f"b-{world.id}"})
    catalog._container.write(f"exports/{broken.id}.json", b'{"id": "other", "key": "0a1b2c3d"}')

    listed = [one.id for one in catalog.exports()]
    with pytest.raises(Conflict) as caught:
        catalog.export(broken.id)

    assert export.id in listed and broken.id not in listed
    assert "0a1b2c3d" not in str(caught.value)
    assert catalog.save(broken).item.id == catalog.export(broken.id).id
