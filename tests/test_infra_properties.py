"""What the templates promise: no keys, no open doors, and the settings that the app reads."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from infra_templates import FILES, INFRA, choice, of_type, parsed, resources, the, variable, walk

from shared import settings

STORAGE = "Microsoft.Storage/storageAccounts"
TEXTS = {file: file.read_text(encoding="utf-8") for file in [*FILES, INFRA / "main.bicepparam"]}


class Recorded(dict[str, str]):
    """An environment that notes which names were asked for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(values)
        self.asked: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.asked.add(key)
        return super().get(key, default)


def test_storage_takes_no_keys_and_shows_nothing_to_strangers():
    properties = the(STORAGE).body["properties"]
    assert properties["allowSharedKeyAccess"] is False
    assert properties["allowBlobPublicAccess"] is False
    assert properties["defaultToOAuthAuthentication"] is True
    assert properties["allowCrossTenantReplication"] is False
    assert properties["supportsHttpsTrafficOnly"] is True
    assert properties["minimumTlsVersion"] == "TLS1_2"
    assert the(f"{STORAGE}/blobServices/containers").body["properties"] == {"publicAccess": "None"}


def test_no_key_and_no_secret_is_read_or_passed():
    for file, text in TEXTS.items():
        assert not re.search(r"listKeys|listAccountSas|listServiceSas|listCredentials|AccountKey|SharedAccess", text), (
            file
        )
        assert "@secure" not in text, f"{file}: a secret parameter would stand in the deployment's history"
        named = list(parsed(file).get("parameters", {})) if file.suffix == ".bicep" else []
        assert not [
            name
            for name in named
            if re.search(r"secret|password|apiKey|connectionString$", name) and name != "insightsConnectionString"
        ]  # an address: local authentication is off


def test_the_app_is_its_identity_everywhere():
    app = the("Microsoft.Web/sites")
    assert app.body["identity"]["type"] == "UserAssigned"
    deployment = app.body["properties"]["functionAppConfig"]["deployment"]["storage"]
    assert deployment["authentication"]["type"] == "UserAssignedIdentity"
    all_settings = variable(app.file, "settings")
    for account in ("AzureWebJobsStorage", "ExportStorage", "SegmentStorage"):
        assert account not in all_settings, "an empty or a connection string would go before the identity"
        assert all_settings[f"{account}__credential"] == "managedidentity"
        assert all_settings[f"{account}__clientId"] == "identityClientId"
    assert all_settings["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"].endswith(";Authorization=AAD")
    assert the("Microsoft.Insights/components").body["properties"]["DisableLocalAuth"] is True
    assert the("Microsoft.OperationalInsights/workspaces").body["properties"]["features"] == {"disableLocalAuth": True}


def test_the_app_runs_on_flex_consumption_with_the_python_of_the_project():
    app = the("Microsoft.Web/sites").body
    version = (INFRA.parent / ".python-version").read_text(encoding="utf-8").strip()
    assert app["properties"]["functionAppConfig"]["runtime"] == {"name": "python", "version": version}
    assert the("Microsoft.Web/serverfarms").body["sku"] == {"name": "FC1", "tier": "FlexConsumption"}
    refused = {
        "FUNCTIONS_WORKER_RUNTIME",
        "FUNCTIONS_EXTENSION_VERSION",
        "WEBSITE_RUN_FROM_PACKAGE",
        "WEBSITE_TIME_ZONE",
        "SCM_DO_BUILD_DURING_DEPLOYMENT",
        "ENABLE_ORYX_BUILD",
        "FUNCTIONS_WORKER_PROCESS_COUNT",
        "AZURE_CLIENT_ID",
    }
    assert not refused & set(variable("modules/app.bicep", "settings"))


def test_the_doors_of_the_app():
    properties = the("Microsoft.Web/sites").body["properties"]
    assert properties["httpsOnly"] is True
    config = properties["siteConfig"]
    assert (config["minTlsVersion"], config["scmMinTlsVersion"], config["ftpsState"]) == ("1.2", "1.2", "Disabled")
    publishing = the("Microsoft.Web/sites/basicPublishingCredentialsPolicies")
    assert publishing.over == ["ftp", "scm"]
    assert publishing.body["properties"] == {"allow": False}


def test_the_vault_keeps_what_is_deleted_and_obeys_roles_alone():
    properties = the("Microsoft.KeyVault/vaults").body["properties"]
    assert properties["enableRbacAuthorization"] is True
    assert properties["enablePurgeProtection"] is True
    assert properties["enableSoftDelete"] is True
    assert "accessPolicies" not in properties


def test_all_that_the_app_needs_is_made():
    assert variable("modules/storage.bicep", "ofApp") == ["deployments", "export-catalog", "export-state"]
    assert variable("modules/storage.bicep", "ofSegments") == ["segmentContainer"]
    _, without, both = choice(variable("modules/storage.bicep", "containers"))
    assert without == "ofApp"
    assert {"ofApp", "ofSegments"} <= {one for one in walk(both) if isinstance(one, str)}
    assert the(f"{STORAGE}/blobServices/containers").over == "containers"
    assert the(f"{STORAGE}/queueServices/queues").over == ["queue", "${queue}-poison"]
    assert (
        variable("main.bicep", "queue") == settings.read({"ExportStorage": "UseDevelopmentStorage=true"}).export_queue
    )


def test_only_runs_are_deleted_by_age():
    (rule,) = the(f"{STORAGE}/managementPolicies").body["properties"]["policy"]["rules"]
    assert rule["definition"]["filters"] == {"blobTypes": ["blockBlob"], "prefixMatch": ["export-state/runs/"]}
    assert rule["definition"]["actions"] == {"baseBlob": {"delete": {"daysAfterModificationGreaterThan": "runDays"}}}
    assert parsed(INFRA / "main.bicep")["parameters"]["runDays"]["default"] == 30


def test_what_is_deleted_is_gone():
    """Also what Customer Insights asks for: its exports fail where blobs are kept after their deletion."""
    properties = the(f"{STORAGE}/blobServices").body["properties"]
    assert properties["deleteRetentionPolicy"] == {"enabled": False}
    assert "isVersioningEnabled" not in properties


def test_a_private_network_closes_storage_and_vault():
    storage = the(STORAGE).body["properties"]
    assert choice(storage["publicNetworkAccess"])[:2] == ("isPrivate", "Disabled")
    assert choice(storage["networkAcls"]["defaultAction"])[:2] == ("isPrivate", "Deny")
    assert choice(the("Microsoft.KeyVault/vaults").body["properties"]["networkAcls"]["defaultAction"])[:2] == (
        "isPrivate",
        "Deny",
    )
    subnets = the("Microsoft.Network/virtualNetworks").body["properties"]["subnets"]
    assert subnets[0]["properties"]["delegations"][0]["properties"] == {"serviceName": "Microsoft.App/environments"}
    targets = variable("modules/network.bicep", "ofApp")
    assert [target["name"] for target in targets] == ["blob", "queue", "table", "vault"]
    assert parsed(INFRA / "main.bicep")["parameters"]["privateNetwork"]["default"] is False


def test_the_settings_are_those_that_the_app_reads():
    given = variable("modules/app.bicep", "settings") | variable("modules/app.bicep", "signInSettings")
    # As they come out of a deployment: addresses of services, numbers and words.
    values = {name: "https://x.example" for name in given if name.endswith(("Uri", "_URL"))}
    values |= {name: "managedidentity" for name in given if name.endswith("__credential")}
    asked = Recorded(values)
    read = settings.read(asked)
    # Local use, and the address of the real service.
    left_out = {"ExportStorage", "SegmentStorage", "CAMPAIGN_MONITOR_URL"}
    assert asked.asked - set(given) == left_out
    assert read.export_storage.managed_identity
    assert read.segment_storage.setting == "SegmentStorage"
    of_host = ("AzureWebJobsStorage__", "APPLICATIONINSIGHTS_", "OVERRIDE_USE_MI_FIC_", "WEBSITE_AUTH_")
    of_bindings = {"EXPORT_SCHEDULE"}  # read by the platform, from function.json
    of_console = {"REQUIRE_SIGN_IN"}
    rest = {name for name in given if not name.startswith(of_host)}
    assert rest - asked.asked - of_bindings <= of_console


def test_every_setting_in_a_binding_is_given():
    given = variable("modules/app.bicep", "settings")
    for file in INFRA.parent.glob("*/function.json"):
        for binding in json.loads(file.read_text(encoding="utf-8"))["bindings"]:
            for name in re.findall(r"%(\w+)%", json.dumps(binding)):
                assert name in given
            if "connection" in binding:
                assert f"{binding['connection']}__queueServiceUri" in given


@pytest.mark.parametrize("name", ["uploadConcurrency", "parallelSlices", "quietMinutes", "functionKeyRole", "schedule"])
def test_the_defaults_are_those_of_the_app(name: str):
    default = parsed(INFRA / "main.bicep")["parameters"][name]["default"]
    read = settings.read({"ExportStorage": "UseDevelopmentStorage=true"})
    expected = {
        "uploadConcurrency": read.upload_concurrency,
        "parallelSlices": read.parallel_slices,
        "quietMinutes": read.quiet_minutes,
        "functionKeyRole": read.function_key_role,
        "schedule": json.loads((INFRA.parent / "local.settings.example.json").read_text(encoding="utf-8"))["Values"][
            "EXPORT_SCHEDULE"
        ],
    }
    assert default == expected[name]


def test_nobody_is_believed_before_the_platform_asks_who_it_is():
    (sign_in,) = (one for one in of_type("Microsoft.Web/sites/config") if one.body["name"] == "authsettingsV2")
    (app_settings,) = (one for one in of_type("Microsoft.Web/sites/config") if one.body["name"] == "appsettings")
    assert sign_in.conditional
    assert app_settings.body["dependsOn"] == ["signIn"]
    assert "REQUIRE_SIGN_IN" not in variable("modules/app.bicep", "settings")
    validation = sign_in.body["properties"]["globalValidation"]
    assert validation["requireAuthentication"] is True
    assert all(not path.startswith("/console") for path in validation["excludedPaths"])
    registration = sign_in.body["properties"]["identityProviders"]["azureActiveDirectory"]["registration"]
    # The name of a setting that holds the ID of an identity, in place of that of a secret.
    assert registration["clientSecretSettingName"] in variable("modules/app.bicep", "signInSettings")


def test_app_roles_are_those_of_the_console():
    roles = json.loads((INFRA / "app-roles.json").read_text(encoding="utf-8"))
    assert [role["value"] for role in roles] == ["Exports.Admin", "Exports.Contributor", "Exports.Viewer"]
    assert len({role["id"] for role in roles}) == len(roles)
    assert all(role["allowedMemberTypes"] == ["User"] and role["isEnabled"] for role in roles)


def test_names_are_computed_so_that_a_second_deployment_changes_nothing():
    for text in TEXTS.values():
        assert not re.search(r"newGuid|utcNow|dateTimeAdd", text)


def test_what_matters_is_logged():
    logged = {
        one.body["scope"]: [log["category"] for log in one.body["properties"]["logs"]]
        for one in of_type("Microsoft.Insights/diagnosticSettings")
    }
    assert logged == {
        "blobs": ["StorageRead", "StorageWrite", "StorageDelete"],
        "queues": ["StorageWrite"],
        "vault": ["AuditEvent"],
        "app": ["FunctionAppLogs"],
    }


def test_nothing_comes_from_a_registry():
    for file, text in TEXTS.items():
        assert not re.search(r"['\"](br|ts)[:/]", text), file
    assert all(module["type"] == "local" for file in FILES for module in parsed(file).get("modules", {}).values())
    assert resources()
