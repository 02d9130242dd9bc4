"""Invented people: combinations of common names, at addresses and numbers that reach nobody.

Every profile is a pure function of the sample's seed and the profile's index, so that any row can be made, or referred
to by another row, without the rows before it.
"""

from hashlib import blake2b
from itertools import product
from typing import NamedTuple


class Profile(NamedTuple):
    """The cells that the sample varies, as text; an empty one is a missing value."""

    customer_id: str
    first_name: str
    last_name: str
    email: str
    mobile: str
    address: str
    city: str
    birth_date: str
    tier: str
    spend: str


class Name(NamedTuple):
    written: str
    latin: str  # in an email address


def _people(given_names: str, family_names: str) -> list[tuple[Name, Name]]:
    """Every given name with every family name, each from `written/latin; written/latin; …`."""
    given, family = (
        [Name(*each.strip().split("/")) for each in names.split(";")] for names in (given_names, family_names)
    )
    return list(product(given, family))


LITHUANIAN = _people(
    "Jonas/jonas; Ona/ona; Rūta/ruta; Žygimantas/zygimantas; Eglė/egle; Šarūnas/sarunas",
    "Kazlauskas/kazlauskas; Petrauskienė/petrauskiene; Žukauskaitė/zukauskaite; Čepaitis/cepaitis",
)
POLISH = _people(
    "Łukasz/lukasz; Małgorzata/malgorzata; Stanisław/stanislaw; Zofia/zofia; Jędrzej/jedrzej",
    "Wiśniewska/wisniewska; Wójcik/wojcik; Dąbrowski/dabrowski; Woźniak/wozniak; Zieliński/zielinski",
)
GREEK = _people(
    "Γιώργος/giorgos; Ελένη/eleni; Δημήτρης/dimitris; Κατερίνα/katerina; Σοφία/sofia",
    "Παπαδόπουλος/papadopoulos; Οικονόμου/oikonomou; Γεωργίου/georgiou; Νικολαΐδης/nikolaidis",
)
CHINESE = _people(
    "伟/wei; 芳/fang; 秀英/xiuying; 娜/na; 敏/min; 静/jing; 磊/lei",
    "王/wang; 李/li; 张/zhang; 刘/liu; 陈/chen; 杨/yang",
)
IRISH = _people(
    "Aoife/aoife; Seán/sean; Niamh/niamh; Conor/conor; Siobhán/siobhan",
    "O'Brien/obrien; O’Connor/oconnor; D'Arcy/darcy; Murphy/murphy",
)
ENGLISH = _people(
    'Robert "Bob"/bob; Elizabeth/elizabeth; Mary Ann/mary-ann; Peter/peter; Grace/grace; John/john',
    "Smith, Jr./smith; Taylor/taylor; Brown/brown; Wilson/wilson; Evans/evans",
)
PEOPLE = (*LITHUANIAN, *POLISH, *GREEK, *CHINESE, *IRISH, *ENGLISH)

CITIES = (
    "Vilnius",
    "Šiauliai",
    "Łódź",
    "Θεσσαλονίκη",
    "上海",
    "Washington, D.C.",
    "Cork",
    "'s-Hertogenbosch",
)
ADDRESSES = (
    "Pilies g. 1",
    "ul. Długa 12/3",
    "Οδός Ερμού 5\n2ος όροφος",  # one cell on two lines
    "南京东路 100 号",
    "12 Main Street, Flat 4",
    'The "Old Mill", Mill Lane',
    "Kerkstraat 7\r\nLinks\r\nAchterhuis",
    "",
)
TIERS = ("Bronze", "Silver", "Gold", "Platinum", "")
DOMAINS = ("example.com", "example.org", "contoso.example")
BIRTH_DATES = (*(f"{1940 + n}-{1 + n % 12:02}-{1 + n % 28:02}" for n in range(68)), *[""] * 8)


def digest(seed: int, index: int) -> bytes:
    """16 bytes that look random."""
    return blake2b(index.to_bytes(8), digest_size=16, key=seed.to_bytes(8)).digest()


def profile(seed: int, index: int) -> Profile:
    """The person with this index, every value clean: the list must hold it as it is written."""
    dice = digest(seed, index)
    given, family = PEOPLE[dice[0] % len(PEOPLE)]
    return Profile(
        customer_id=dice.hex(),
        first_name=given.written,
        last_name=family.written,
        email=f"{given.latin}.{family.latin}.{index}@{DOMAINS[dice[1] % len(DOMAINS)]}",
        mobile=f"+447700900{dice[2]:03}" if dice[3] & 1 else "",  # numbers that the regulator keeps for drama
        address=ADDRESSES[dice[4] % len(ADDRESSES)],
        city=CITIES[dice[5] % len(CITIES)],
        birth_date=BIRTH_DATES[dice[6] % len(BIRTH_DATES)],
        tier=TIERS[dice[7] % len(TIERS)],
        spend=f"{dice[8] << 8 | dice[9]}.{dice[10] % 100:02}",
    )
