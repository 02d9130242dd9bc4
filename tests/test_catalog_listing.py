"""A listing of the catalog is as new as the storage, whoever wrote: what was read before is kept by its ETag only."""

from world import World

from shared.app import wire
from shared.settings import read


def test_a_listing_shows_what_another_instance_has_changed(world: World) -> None:
    export = world.save()
    other = wire(read(world.environment)).catalog

    def titles() -> list[str]:
        return [one.display_name for one in world.app.catalog.exports() if one.id == export.id]

    assert titles() == ["High value customers"]
    other.save(export.model_copy(update={"display_name": "Renamed"}))
    assert titles() == ["Renamed"]
    other.remove(export)
    assert titles() == []
    other.save(export)
    assert titles() == ["High value customers"]
