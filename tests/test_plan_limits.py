"""A segment that is too large is refused before anything is sent, with both numbers."""

from reading import plan
from world import World, balances, csv_rows, person


def test_too_many_profiles(world: World) -> None:
    """Every row counts, whatever would become of it, to the last partition."""
    good = csv_rows(*(person(number) for number in range(1200)))
    world.put_rows(good, good, csv_rows(person(1, EMail="bad")) + "\n\nmalformed\n")
    world.save(max_profiles=1100)

    run = world.run()

    assert run.status == "failed"
    assert run.error
    assert run.error.code == "too_many_profiles"
    assert "has 2,402 profiles; the export takes at most 1,100." in run.error.message
    assert balances(run)
    assert not world.listed()


def test_as_many_as_may_be(world: World) -> None:
    world.put_rows(csv_rows(*(person(number) for number in range(3))), csv_rows(person(4), person(5)))
    world.save(max_profiles=5)

    assert world.run().counts.added == 5


def test_the_limit_is_that_of_each_segment(world: World) -> None:
    world.put_rows(csv_rows(person(1), person(2)))
    world.put(
        "BlobExport/Other/2026/11/23/0900/Other_1.csv",
        ",".join(["EMail", "FirstName", "LastName", "City", "BirthDate"]),
    )
    world.save(segments=["BlobExport/HighValueSegment", "BlobExport/Other"], max_profiles=2)

    assert world.run().counts.added == 2


def test_beyond_the_limit_rows_are_counted_and_nothing_else() -> None:
    planned = plan("1,a@example.com,\n2,b@example.com,\n", "3,c@example.com,\n", at_most=1)

    assert planned.account.to_send == 1
    assert planned.emails == ["c@example.com"]
