"""The preview of a large file: the first subscribers are shown, with a header row and without."""

import pytest
from world import World, csv_rows, person

from shared.checks.rehearsal import rehearse


@pytest.mark.parametrize("header", [True, False])
def test_the_first_ten_of_a_file_that_is_longer_than_what_is_read_of_it(world: World, header: bool) -> None:
    head = csv_rows(["CustomerId", "EMail", "FirstName", "LastName", "City", "BirthDate"]) if header else ""
    world.put_rows(head + csv_rows(*(person(number) for number in range(500))))

    found = rehearse(world.app, world.save(), create_fields=False)

    assert found.ok
    assert [one.name for one in found.preview.subscribers] == [f"Jonas Žukauskas {number}" for number in range(10)]
