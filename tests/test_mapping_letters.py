"""Values arrive on the list letter by letter, and empty ones clear what the list held."""

from world import World, csv_rows, person

VALUES = [
    'The "Corner"',
    "back\\slash \\n \\u0041",
    "'s-Hertogenbosch",
    "a\u2028b\u2029c",
    "🍀👨\u200d👩\u200d👧 𠮷",
    "Ru\u0304ta",
    "<b>&amp;</b>",
    "=1+2",
    "{[}]",
    "+'); --",
    "Łódź, Θεσσαλονίκη, 上海",
    "ž" * 250,
]


def test_letter_by_letter(world: World) -> None:
    people = [person(number, LastName=value[:240], City=value) for number, value in enumerate(VALUES)]
    world.put_rows(csv_rows(*people))
    world.save()

    run = world.run()

    assert run.counts.added == len(VALUES), world.rejects(run)
    listed = world.listed()
    for number, value in enumerate(VALUES):
        one = listed[f"user{number}@example.com"]
        assert (one["name"], one["fields"]["City"]) == (f"Jonas {value[:240]}", value)


def test_an_empty_value_clears_what_was_there(world: World) -> None:
    mapping = {
        "email": "EMail",
        "first_name": "FirstName",
        "mobile_number": "LastName",
        "custom_fields": [{"key": "City", "column": "City"}, {"key": "BirthDate", "column": "BirthDate"}],
    }
    world.put_rows(csv_rows(person(1, LastName="+44 7700 900123")))
    world.save(mapping=mapping)
    world.run()
    before = world.listed()["user1@example.com"]
    assert (before["mobile"], before["fields"]) == ("+447700900123", {"City": "Kaunas", "BirthDate": "1990-02-03"})
    world.put_rows(csv_rows(person(1, FirstName="", LastName="", City="", BirthDate="")), at="2026/11/24/0900")

    run = world.run()

    assert run.counts.updated == 1
    after = world.listed()["user1@example.com"]
    assert (after["name"], after["mobile"], after["fields"]) == ("", "", {})
