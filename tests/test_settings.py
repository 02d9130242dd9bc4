"""What is allowed in the application settings, and how a wrong one is told: by its name, never by its value."""

import pytest

from shared.errors import DeploymentError
from shared.settings import CAMPAIGN_MONITOR, StorageAccount, read

STRING = "AccountName=contoso;AccountKey=a2V5LW9mLWNvbnRvc28=;EndpointSuffix=core.windows.net"
BLOB = "https://contoso.blob.core.windows.net"
QUEUE = "https://contoso.queue.core.windows.net"
LEAST = {"ExportStorage": STRING}
SERVICES = {"ExportStorage__blobServiceUri": BLOB, "ExportStorage__queueServiceUri": QUEUE}


def test_what_is_not_set_has_its_default() -> None:
    settings = read(LEAST)

    assert settings.segment_storage == settings.export_storage
    assert settings.segment_container == "customerinsights"
    assert settings.key_vault_url is None
    assert settings.campaign_monitor_url == CAMPAIGN_MONITOR
    assert settings.export_queue == "export-work"
    assert settings.function_key_role == "contributor"
    assert (settings.upload_concurrency, settings.parallel_slices, settings.quiet_minutes) == (8, 2, 5)


def test_an_empty_setting_is_one_that_is_not_set() -> None:
    names = ("SegmentStorage", "SEGMENT_CONTAINER", "KEY_VAULT_URL", "CAMPAIGN_MONITOR_URL", "UPLOAD_CONCURRENCY")
    assert read(LEAST | dict.fromkeys(names, " ")) == read(LEAST)


def test_an_account_by_managed_identity() -> None:
    identity = {"ExportStorage__credential": "managedidentity", "ExportStorage__clientId": "11111111"}

    account = read(SERVICES | identity).export_storage

    assert account == StorageAccount("ExportStorage", None, BLOB, QUEUE, managed_identity=True, client_id="11111111")


def test_an_account_by_the_developers_own_sign_in() -> None:
    account = read({**SERVICES, "ExportStorage__blobServiceUri": f"{BLOB}/"}).export_storage
    assert account == StorageAccount("ExportStorage", None, BLOB, QUEUE)


@pytest.mark.parametrize(
    "given",
    [
        {"SegmentStorage": STRING.replace("contoso", "segments")},
        {"SegmentStorage__blobServiceUri": BLOB, "SegmentStorage__credential": "managedidentity"},
    ],
)
def test_segments_in_an_account_of_their_own(given: dict[str, str]) -> None:
    settings = read(LEAST | given)
    assert settings.segment_storage.setting == "SegmentStorage"
    assert settings.segment_storage != settings.export_storage


@pytest.mark.parametrize(
    "string",
    [
        STRING,
        STRING + ";",
        "UseDevelopmentStorage=true",
        f"BlobEndpoint={BLOB};QueueEndpoint={QUEUE};SharedAccessSignature=sv=2026&sig=abc%3D",
    ],
)
def test_a_connection_string_as_the_portal_shows_it(string: str) -> None:
    assert read({"ExportStorage": string}).export_storage.connection_string == string


@pytest.mark.parametrize(
    ("given", "name", "allowed"),
    [
        ({"ExportStorage": ""}, "ExportStorage", "connection string, or ExportStorage__blobServiceUri"),
        ({"ExportStorage": "s3cret"}, "ExportStorage", "AccountName and AccountKey"),
        ({"ExportStorage": "AccountName=contoso"}, "ExportStorage", "AccountName and AccountKey"),
        ({"ExportStorage": "AccountName=contoso;AccountKey=s3cret"}, "ExportStorage", "AccountName and AccountKey"),
        ({"ExportStorage": f"{STRING};s3cret"}, "ExportStorage", "semicolons"),
        ({"ExportStorage": f"{STRING};BlobEndpoint=s3cret"}, "ExportStorage", "connection string"),
        ({"ExportStorage": f"BlobEndpoint={BLOB};SharedAccessSignature=s3cret"}, "ExportStorage", "connection string"),
        ({"ExportStorage": "UseDevelopmentStorage=s3cret"}, "ExportStorage", "AccountName and AccountKey"),
        ({"ExportStorage": "", "ExportStorage__blobServiceUri": BLOB}, "ExportStorage__queueServiceUri", "address"),
        ({"ExportStorage": "", "ExportStorage__queueServiceUri": QUEUE}, "ExportStorage__blobServiceUri", "address"),
        ({"ExportStorage": "", "ExportStorage__clientId": "1"}, "ExportStorage__blobServiceUri", "address"),
        ({"ExportStorage__blobServiceUri": "http://contoso"}, "ExportStorage__blobServiceUri", "https://"),
        ({"ExportStorage__blobServiceUri": f"{BLOB}?sig=s3cret"}, "ExportStorage__blobServiceUri", "without a space"),
        ({"ExportStorage__credential": "s3cret"}, "ExportStorage__credential", "only managedidentity"),
        ({"SegmentStorage": "s3cret"}, "SegmentStorage", "connection string"),
        ({"SegmentStorage__credential": "managedidentity"}, "SegmentStorage__blobServiceUri", "address"),
        ({"SEGMENT_CONTAINER": "Customer_Insights"}, "SEGMENT_CONTAINER", "lower-case"),
        ({"EXPORT_QUEUE": "q"}, "EXPORT_QUEUE", "3 to 63"),
        ({"EXPORT_QUEUE": "export--work"}, "EXPORT_QUEUE", "single hyphens"),
        ({"KEY_VAULT_URL": "contoso"}, "KEY_VAULT_URL", "https://"),
        ({"KEY_VAULT_URL": "http://contoso.vault.azure.net"}, "KEY_VAULT_URL", "https://"),
        ({"KEY_VAULT_URL": "http://localhost"}, "KEY_VAULT_URL", "https://"),
        ({"CAMPAIGN_MONITOR_URL": "http://api.createsend.com"}, "CAMPAIGN_MONITOR_URL", "http:// for one on this"),
        ({"CAMPAIGN_MONITOR_URL": "https://s3cret:x@api.createsend.com"}, "CAMPAIGN_MONITOR_URL", "https://"),
        ({"CAMPAIGN_MONITOR_URL": "https://[s3cret"}, "CAMPAIGN_MONITOR_URL", "https://"),
        ({"CAMPAIGN_MONITOR_URL": "https://"}, "CAMPAIGN_MONITOR_URL", "https://"),
        ({"UPLOAD_CONCURRENCY": "0"}, "UPLOAD_CONCURRENCY", "a whole number from 1 to 64"),
        ({"UPLOAD_CONCURRENCY": "65"}, "UPLOAD_CONCURRENCY", "a whole number from 1 to 64"),
        ({"UPLOAD_CONCURRENCY": "2.5"}, "UPLOAD_CONCURRENCY", "a whole number from 1 to 64"),
        ({"PARALLEL_SLICES": "s3cret"}, "PARALLEL_SLICES", "a whole number from 1 to 64"),
        ({"FUNCTION_KEY_ROLE": "s3cret"}, "FUNCTION_KEY_ROLE", "one of viewer, contributor, admin"),
        ({"REQUIRE_SIGN_IN": "s3cret"}, "REQUIRE_SIGN_IN", "true or false"),
        ({"QUIET_MINUTES": "-1"}, "QUIET_MINUTES", "a number from 0 to 1440"),
        ({"QUIET_MINUTES": "nan"}, "QUIET_MINUTES", "a number from 0 to 1440"),
    ],
)
def test_a_wrong_setting_is_named_and_not_quoted(given: dict[str, str], name: str, allowed: str) -> None:
    with pytest.raises(DeploymentError) as caught:
        read(LEAST | given)

    error = caught.value
    assert error.code in ("setting_missing", "setting_invalid")
    assert error.field == name
    assert name in error.message
    assert allowed in error.action
    assert "s3cret" not in repr(error)
    assert error.__cause__ is None


def test_no_connection_string_shows_itself() -> None:
    settings = read(LEAST | {"SegmentStorage": STRING.replace("contoso", "segments")})
    assert "AccountKey" not in f"{settings!r} {settings}"
