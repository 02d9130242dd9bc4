"""The columns of the sample's unified Customer table, and what the export maps of them to which fields of the list.

CustomerId comes first and the keys of the sources last, as in the tables that Customer Insights writes.
"""

from functools import cache
from random import Random

# Name to data type, as in model.json. The first ten are those of Profile, in its order; the others are filler.
COLUMNS = {
    "CustomerId": "string",
    "FirstName": "string",
    "LastName": "string",
    "EMail": "string",
    "MobilePhone": "string",
    "AddressLines": "string",
    "City": "string",
    "BirthDate": "date",
    "LoyaltyTier": "string",
    "TotalSpend": "decimal",
    "PostalCode": "string",
    "StateOrProvince": "string",
    "Country": "string",
    "Gender": "string",
    "PreferredLanguage": "string",
    "Occupation": "string",
    "Telephone": "string",
    "LoyaltyPoints": "int64",
    "AverageBasket": "decimal",
    "OrdersLastYear": "int64",
    "ReturnsLastYear": "int64",
    "FirstPurchaseOn": "dateTime",
    "LastPurchaseOn": "dateTime",
    "LastStoreVisited": "string",
    "PreferredStore": "string",
    "PreferredChannel": "string",
    "WebVisitsLastMonth": "int64",
    "ChurnScore": "double",
    "LifetimeValue": "decimal",
    "DoNotPhone": "boolean",
    "DoNotPostalMail": "boolean",
    "Remarks": "string",
    "CreatedOn": "dateTime",
    "PreviousCustomerId": "string",
    "Loyalty_Members_MemberId": "string",
    "Loyalty_Members_MemberId_Alternate": "string",
    "Shop_Customers_CustomerNo": "string",
    "Shop_Customers_CustomerNo_Alternate": "string",
    "Web_Accounts_AccountId": "string",
    "Web_Accounts_AccountId_Alternate": "string",
}

# The mapping of the export, as the catalog has it. One key differs from its column, as keys in real lists do.
MAPPING = {
    "email": "EMail",
    "first_name": "FirstName",
    "last_name": "LastName",
    "mobile_number": "MobilePhone",
    "custom_fields": [
        {"key": "City", "column": "City"},
        {"key": "Birthday", "column": "BirthDate"},
        {"key": "Loyaltytier", "column": "LoyaltyTier"},
        {"key": "Totalspend", "column": "TotalSpend"},
    ],
    "consent_to_track": "Unchanged",
}

# The custom fields of the list, as the stand-in's control path takes them. The last one is nobody's business here.
LIST_FIELDS = [
    {"name": "City", "type": "Text"},
    {"name": "Birthday", "type": "Date"},
    {"name": "Loyalty tier", "type": "MultiSelectOne", "options": ["Bronze", "Silver", "Gold", "Platinum"]},
    {"name": "Total spend", "type": "Number"},
    {"name": "Favourite shop", "type": "Text"},
]
FOREIGN_FIELD = "Favouriteshop"  # its key


@cache
def fillers(seed: int) -> list[list[str]]:
    """Values for the columns after the first ten, to be shared out among the rows: making new ones costs too much."""
    dice = Random(seed)
    return [_filler(dice) for _ in range(61)]  # a prime, so that they do not go with anything else


def _filler(dice: Random) -> list[str]:
    store = dice.choice(("Old Town", "Station, upper floor", 'The "Corner"', "Λιμάνι", ""))
    member, customer = f"M{dice.randrange(10**7):07}", f"{dice.randrange(10**6):06}"
    account = f"{dice.getrandbits(128):032x}"
    return [
        f"{dice.randrange(10**5):05}",
        "",
        dice.choice(("LT", "PL", "GR", "CN", "IE", "US")),
        dice.choice(("F", "M", "X", "")),
        dice.choice(("lt-LT", "pl-PL", "el-GR", "zh-CN", "en-IE")),
        dice.choice(("Teacher", "Nurse", "Carpenter", "Engineer, retired", "")),
        f"+44770090{dice.randrange(10**4):04}",
        str(dice.randrange(9000)),
        f"{dice.uniform(5, 200):.2f}",
        str(dice.randrange(40)),
        str(dice.randrange(5)),
        f"20{dice.randrange(10, 20)}-03-0{dice.randrange(1, 10)}T12:30:00Z",
        f"20{dice.randrange(20, 26)}-10-1{dice.randrange(10)}T08:05:00Z",
        store,
        store,
        dice.choice(("E-mail", "Post", "Text message")),
        str(dice.randrange(60)),
        f"{dice.random():.6f}",
        f"{dice.uniform(10, 9000):.2f}",
        dice.choice(("true", "false")),
        dice.choice(("true", "false")),
        dice.choice(('Said "later", twice', "=1+2", "-", "@home", "+1", "\tindented", "Zwei\nZeilen", "", "")),
        "2024-01-31T23:59:59Z",
        "",
        member,
        f"{member};M0000001",
        customer,
        customer,
        account,
        "",
    ]
