"""Whatever a body holds, the stand-in answers as a service would: it never fails itself."""

import json

import pytest
from standin_calls import CLIENT, LIST, Caller, row

pytest_plugins = ["standin_fixtures"]

ODD = [None, 5, -1.5, True, "", "x", "\ud800", "\x00", "é" * 300, [], [None], [5], [[]], {}, {"Key": 5}]
SUBSCRIBER = [
    "EmailAddress",
    "Name",
    "MobileNumber",
    "CustomFields",
    "ConsentToTrack",
    "ConsentToSendSms",
    "Resubscribe",
]


@pytest.mark.parametrize(
    ("method", "path", "names"),
    [
        ("POST", f"subscribers/{LIST}.json", SUBSCRIBER),
        ("PUT", f"subscribers/{LIST}.json?email=jane@example.com", SUBSCRIBER),
        ("POST", f"subscribers/{LIST}/unsubscribe.json", ["EmailAddress"]),
        ("POST", f"lists/{CLIENT}.json", ["Title", "ConfirmedOptIn", "UnsubscribeSetting", "UnsubscribePage"]),
        ("PUT", f"lists/{LIST}.json", ["Title", "AddUnsubscribesToSuppList"]),
        ("POST", f"lists/{LIST}/customfields.json", ["FieldName", "DataType", "Options", "VisibleInPreferenceCenter"]),
        ("PUT", f"lists/{LIST}/customfields/%5BAge%5D.json", ["FieldName", "VisibleInPreferenceCenter"]),
        ("PUT", f"lists/{LIST}/customfields/%5BColour%5D/options.json", ["Options", "KeepExistingOptions"]),
        ("POST", f"lists/{LIST}/webhooks.json", ["Events", "Url", "PayloadFormat"]),
        ("POST", f"clients/{CLIENT}/suppress.json", ["EmailAddresses"]),
    ],
)
def test_odd_member_of_a_body(standin: Caller, method: str, path: str, names: list[str]) -> None:
    usual = row() | {"Title": "Odd", "FieldName": "Odd", "DataType": "Text", "Options": ["a"]}
    usual |= {"Url": "http://127.0.0.1:1/", "Events": ["Update"], "PayloadFormat": "json"}
    standin.put({"email": "jane@example.com"})
    for name in names:
        for value in ODD:
            answer = standin.api(method, path, data=json.dumps(usual | {name: value}))
            assert answer.status_code < 500, (name, value, answer.text)


@pytest.mark.parametrize("name", SUBSCRIBER)
def test_odd_member_of_an_imported_row(standin: Caller, name: str) -> None:
    for value in ODD:
        body = {"Subscribers": [row("john@example.com"), row() | {name: value}]}
        answer = standin.api("POST", f"subscribers/{LIST}/import.json", data=json.dumps(body))
        assert answer.status_code < 500, (name, value, answer.text)
