"""Which addresses are taken and which are turned down, before the service has its say."""

import pytest
from reading import plan

TAKEN = [
    "a@example.com",
    "Jonas.Petraitis+news@mail.example.co.uk",
    "o'neill@example.com",
    "x_y-z!#$%&*/=?^`{|}~@example.com",
    "1@1.example.com",
    "žygimantas@pavyzdys.example",
    "info@žalia-žolė.lt",
    "ελενη@παράδειγμα.ελ",
    "用户@例子.中国",
    "a@xn--alia-dqa.example",
    "a@b.travel-agency.example",
    f"{'a' * 64}@example.com",
    f"a@{'b' * 63}.example.com",
    f"a@{'b.' * 120}example.com",  # 253 characters
]
TRIMMED = [
    " a@example.com",
    "a@example.com \t",
    "\u00a0a@example.com\u3000",
    "\ufeffa@example.com",
    '"\na@example.com\n"',
]
TURNED_DOWN = [
    "a",
    "a@",
    "@example.com",
    "a@@example.com",
    "a@b@example.com",
    "a@example",
    "a@example.c",
    "a@example.123",
    "a@.example.com",
    "a@example..com",
    "a@example.com.",
    "a@-example.com",
    "a@example-.com",
    "a@exam_ple.com",
    "a@exam ple.com",
    "a@[127.0.0.1]",
    ".a@example.com",
    "a.@example.com",
    "a..b@example.com",
    "a b@example.com",
    "a\u00a0b@example.com",
    "a\u200bb@example.com",
    "a\u2028b@example.com",
    "a\\b@example.com",
    "a(b)@example.com",
    "Ona <a@example.com>",
    "mailto:a@example.com",
    "a@example.com;b@example.com",
    '"""a b""@example.com"',  # a quoted local part: "a b"@example.com
    '"a@example.com,b@example.com"',
    f"{'a' * 65}@example.com",
    f"a@{'b' * 64}.example.com",
    f"a@{'ž' * 64}.example.com",
    f"a@{'b.' * 121}example.com",  # 255
]


def test_taken() -> None:
    assert plan("".join(f"1,{email},\n" for email in TAKEN)).emails == TAKEN


@pytest.mark.parametrize("cell", TRIMMED, ids=ascii)
def test_blanks_around_it_say_nothing(cell: str) -> None:
    assert plan(f"1,{cell},\n").emails == ["a@example.com"]


def test_turned_down() -> None:
    planned = plan("".join(f"1,{cell},\n" for cell in TURNED_DOWN))

    assert planned.emails == []
    assert planned.faults == ["email_invalid EMail"] * len(TURNED_DOWN)


@pytest.mark.parametrize("cell", ["", '""', " ", "\t", "\u00a0"], ids=ascii)
def test_missing(cell: str) -> None:
    assert plan(f"1,{cell},\n").faults == ["email_missing EMail"]


@pytest.mark.parametrize("cell", ["a\x00b@example.com", "a\x7f@example.com", "a@exam\u0085ple.com"], ids=ascii)
def test_with_a_control_character(cell: str) -> None:
    assert plan(f"1,{cell},\n").faults == ["control_character EMail"]


def test_the_longest_is_as_long_as_mail_allows() -> None:
    longest = f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 58}.lt"
    assert len(longest) == 254

    assert plan(f"1,{longest},\n").emails == [longest]
    assert plan(f"1,{longest}t,\n").faults == ["email_invalid EMail"]
