"""Azure's published resource types, as far as the templates use them: kept small under tests/infra_types/.

A file holds one type in one version: its ``types`` by name, each with the properties that may be written and their
types: ``!`` behind a required one, ``[]`` behind that of an array; ``*`` stands for any name. To make the files
anew, in an empty environment:

    npm install --prefix DIR @azure/mcp-linux-x64@2.0.5
    pip install azure-mgmt-monitor==7.0.0 azure-mgmt-privatedns==2.0.0
    python tests/infra_published_types.py DIR/node_modules/@azure/mcp-linux-x64/dist/azmcp
    pip install azure-mgmt-monitor==6.0.2
    python tests/infra_published_types.py

The first program prints the types that Bicep itself uses. That release lacks those of Azure Monitor and of private DNS
zones; they come from Microsoft's SDKs for the same API versions.
"""

import importlib
import json
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("infra_types")

BICEP = (
    "Microsoft.Authorization/roleAssignments",
    "Microsoft.Insights/components",
    "Microsoft.KeyVault/vaults",
    "Microsoft.ManagedIdentity/userAssignedIdentities",
    "Microsoft.Network/networkSecurityGroups",
    "Microsoft.Network/privateEndpoints",
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
    "Microsoft.Network/virtualNetworks",
    "Microsoft.OperationalInsights/workspaces",
    "Microsoft.Storage/storageAccounts",
    "Microsoft.Storage/storageAccounts/blobServices",
    "Microsoft.Storage/storageAccounts/blobServices/containers",
    "Microsoft.Storage/storageAccounts/managementPolicies",
    "Microsoft.Storage/storageAccounts/queueServices",
    "Microsoft.Storage/storageAccounts/queueServices/queues",
    "Microsoft.Web/serverfarms",
    "Microsoft.Web/sites",
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies",
    "Microsoft.Web/sites/config",
)
# By type and version: the SDK, its version, and where it describes the type.
_MONITOR, _MONITOR_BEFORE = ("azure-mgmt-monitor", "7.0.0"), ("azure-mgmt-monitor", "6.0.2")
_DNS = ("azure-mgmt-privatedns", "2.0.0")
SDK = {
    "Microsoft.Insights/actionGroups@2023-01-01": (_MONITOR, "azure.mgmt.monitor.models", "ActionGroupResource"),
    "Microsoft.Insights/scheduledQueryRules@2023-12-01": (
        _MONITOR,
        "azure.mgmt.monitor.models",
        "ScheduledQueryRuleResource",
    ),
    "Microsoft.Insights/diagnosticSettings@2021-05-01-preview": (
        _MONITOR_BEFORE,
        "azure.mgmt.monitor.v2021_05_01_preview.models",
        "DiagnosticSettingsResource",
    ),
    "Microsoft.Network/privateDnsZones@2024-06-01": (_DNS, "azure.mgmt.privatedns.models", "PrivateZone"),
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01": (
        _DNS,
        "azure.mgmt.privatedns.models",
        "VirtualNetworkLink",
    ),
}

Types = dict[str, dict[str, str]]


def published() -> dict[str, Types]:
    """The types by resource type and version; ``body`` is the resource itself, ``body:x`` that of the name x."""
    documents = (json.loads(file.read_text(encoding="utf-8")) for file in sorted(FOLDER.glob("*.json")))
    return {document["resource"]: document["types"] for document in documents}


def of_bicep(answer: list[dict[str, Any]]) -> tuple[str, Types]:
    resource = next(one for one in answer if one["$type"] == "Resource")
    types = {one["name"]: _object(one) for one in answer if one["$type"] == "Object"}
    types |= {one["name"]: _either(one) for one in answer if one["$type"] == "DiscriminatedObject"}
    body = resource["bodyType"]
    if body["$type"] == "Object":
        types["body"] = _object(body)
    for element in body.get("elements", []):
        name = next(one["type"] for one in element["properties"] if one["name"] == "name")
        types[f"body:{name}"] = _object(element)
    return resource["name"], _reachable(types)


def of_sdk(module: str, name: str) -> Types:
    models = importlib.import_module(module)
    types: Types = {}
    # Every resource has these, whatever the SDK calls them.
    types["body"] = {"name": "string!", "scope": "resource", "parent": "resource"} | _model(models, name, types)
    return types


def _object(one: dict[str, Any]) -> dict[str, str]:
    properties = {
        each["name"]: each["type"] + ("!" if "Required" in each.get("flags", "") else "")
        for each in one["properties"]
        if "ReadOnly" not in each.get("flags", "")
    }
    return properties | ({"*": one["additionalPropertiesType"]} if "additionalPropertiesType" in one else {})


def _either(one: dict[str, Any]) -> dict[str, str]:
    """The properties of all elements together: which go with which is not looked at."""
    parts = [_object({"properties": one["baseProperties"]})] + [_object(each) for each in one["elements"]]
    return {name: kind.rstrip("!") for part in parts for name, kind in part.items()}


def _reachable(types: Types) -> Types:
    wanted = [name for name in types if name.startswith("body")]
    for name in wanted:
        found = {word for kind in types[name].values() for word in re.findall(r"[\w.]+", kind)}
        wanted += sorted(word for word in found if word in types and word not in wanted)
    return {name: types[name] for name in wanted}


def _model(models: Any, name: str, types: Types) -> dict[str, str]:
    """The properties of a model. A dotted key, such as ``properties.enabled``, is a property of a type of its own."""
    properties: dict[str, str] = {}
    for key, kind in _fields(getattr(models, name)):
        *outer, last = key.split(".")
        place = properties
        if outer:
            properties["properties"] = f"{name}Properties"
            place = types.setdefault(f"{name}Properties", {})
        word = kind.strip("[]{}!")
        model = getattr(models, word, None)
        is_model = isinstance(model, type) and bool(_fields(model))
        if is_model and word not in types:
            types[word] = {}
            types[word].update(_model(models, word, types))
        named = word if is_model else "int" if word == "float" else word if word in ("int", "bool") else "string"
        if kind.startswith("{"):
            named = "object"
        place[last] = named + ("[]" if kind.startswith("[") else "") + ("!" if kind.endswith("!") else "")
    return properties


def _fields(model: Any) -> list[tuple[str, str]]:
    """Name as it is sent, and type in the notation of the older SDKs: ``[x]`` a list, ``{x}`` a dictionary."""
    if hasattr(model, "_attribute_map"):
        read_only = {name for name, rule in model._validation.items() if rule.get("readonly")}
        required = {name for name, rule in model._validation.items() if rule.get("required")}
        return [
            (entry["key"], entry["type"] + ("!" if name in required else ""))
            for name, entry in model._attribute_map.items()
            if name not in read_only
        ]
    fields = []
    for each in (base for base in model.__mro__ if hasattr(base, "__annotations__")):
        for name, annotation in each.__annotations__.items():
            said = str(annotation)
            field = each.__dict__.get(name)
            if name.startswith("_") or field is None or getattr(field, "_visibility", None) == ["read"]:
                continue
            word = re.findall(r"models\.(\w+)", said) or re.findall(r"\b(str|bool|int)\b", said) or ["str"]
            kind = f"[{word[-1]}]" if "list[" in said else "{str}" if "dict[" in said else word[-1]
            fields.append((getattr(field, "_rest_name_input", None) or name, kind))
    return fields


def _save(resource: str, types: Types) -> None:
    file = FOLDER / f"{resource.partition('@')[0].replace('/', '_')}.json"
    file.write_text(
        json.dumps({"resource": resource, "types": types}, indent=1, sort_keys=True) + "\n", encoding="utf-8"
    )


def main() -> None:
    for program in sys.argv[1:]:
        for kind in BICEP:
            command = [program, "bicepschema", "get", "--resource-type", kind]
            printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            _save(*of_bicep(json.loads(printed)["results"]["BicepSchemaResult"]))
    for resource, ((package, wanted), module, name) in SDK.items():
        if version(package) == wanted:
            _save(resource, of_sdk(module, name))


if __name__ == "__main__":
    main()
