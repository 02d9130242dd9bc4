"""A segment becomes a list: every step, on real storage, against the stand-in over HTTP."""

from world import World, balances, csv_rows, person


def test_profiles_become_subscribers_letter_by_letter(world: World) -> None:
    world.put_rows(
        csv_rows(person(1, FirstName="Ειρήνη", LastName="Παπαδοπούλου", City="Θεσσαλονίκη")),
        csv_rows(person(2, FirstName="明", LastName="王", City="上海")),
        csv_rows(person(3, FirstName="Siobhán", LastName="O'Neill")),
    )
    world.save()

    run = world.run()

    assert run.status == "succeeded"
    assert run.counts.rows_read == run.counts.added == 3
    assert balances(run)
    listed = world.listed()
    assert {one["name"] for one in listed.values()} == {"Ειρήνη Παπαδοπούλου", "明 王", "Siobhán O'Neill"}
    assert listed["user2@example.com"]["fields"] == {"City": "上海", "BirthDate": "1990-02-03"}


def test_what_is_acknowledged_is_not_sent_again(world: World) -> None:
    world.put_rows(csv_rows(person(1), person(2)))
    world.save()
    world.run()
    world.put_rows(csv_rows(person(1), person(2, City="Vilnius"), person(3)), at="2026/11/24/0900")

    run = world.run()

    assert (run.counts.unchanged, run.counts.added, run.counts.updated) == (1, 1, 1)
    assert world.listed()["user2@example.com"]["fields"]["City"] == "Vilnius"


def test_every_row_that_is_not_sent_stands_in_the_rejects(world: World) -> None:
    rows = [person(1), person(2, EMail="nobody"), person(3, EMail="USER1@example.com"), person(4)]
    world.put_rows(csv_rows(*rows) + "too,few\n")
    world.hold({"email": "user4@example.com", "state": "Unsubscribed"})
    world.save()

    run = world.run()

    assert run.status == "completed_with_rejects"
    assert balances(run)
    assert [(row[2], row[5]) for row in world.rejects(run)] == [
        ("2", "email_invalid"),
        ("3", "duplicate_email"),
        ("5", "malformed_columns"),
        ("4", "refused_206"),
    ]
    assert world.listed()["user4@example.com"]["state"] == "Unsubscribed"
