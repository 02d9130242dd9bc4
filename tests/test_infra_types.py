"""Every resource of the templates against Azure's published types: versions, properties, words that are allowed."""

import re
from typing import Any

import pytest
from infra_published_types import Types, published
from infra_templates import FILES, INFRA, Resource, is_expression, names_in, parsed, resources

PUBLISHED = published()
# What Bicep itself reads, beside the properties of the type.
OF_BICEP = {"dependsOn", "parent", "scope"}


def of_body(resource: Resource, types: Types) -> dict[str, str]:
    """Of a type with a body for each name, that of the name; of a loop over names any: they are alike."""
    of_names = [body for name, body in sorted(types.items()) if name.startswith("body:")]
    return types.get("body") or types.get(f"body:{resource.body['name']}") or of_names[0]


def faults(value: Any, kind: str, types: Types, names: set[str], where: str) -> list[str]:
    """What of the value does not fit the type; what is computed is taken on trust."""
    kind = kind.rstrip("!")
    if is_expression(value) or value is None:
        return []
    if kind.endswith("[]"):
        if isinstance(value, str) and re.split(r"\W", value)[0] in names:
            return []
        if not isinstance(value, list):
            return [] if isinstance(value, dict) and "loop_type" in value else [f"{where} is not an array"]
        return [
            fault
            for index, each in enumerate(value)
            for fault in faults(each, kind[:-2], types, names, f"{where}[{index}]")
        ]
    if isinstance(value, dict):
        if kind in types:
            return inner_faults(value, types[kind], types, names, where)
        return [] if kind in ("object", "any") else [f"{where} is an object, not {kind}"]
    if kind in types:
        return [] if value in names else [f"{where} is not an object"]
    words = kind.split(" | ")
    if isinstance(value, bool) or kind == "bool":
        return [] if kind == "bool" and (isinstance(value, bool) or value in names) else [f"{where} is not {kind}"]
    if isinstance(value, int) or kind == "int":
        return [] if kind == "int" and (isinstance(value, int) or value in names) else [f"{where} is not {kind}"]
    # Where words are published, others are not used here, even where any text is allowed.
    open_ended = words == ["string"] or value in names or "${" in value
    return [] if open_ended or value in words else [f"{where} is {value}, not one of {kind}"]


def inner_faults(
    value: dict[str, Any], allowed: dict[str, str], types: Types, names: set[str], where: str
) -> list[str]:
    found = []
    for key, inner in value.items():
        kind = allowed.get(key, allowed.get("*"))
        found += [f"{where}.{key} is unknown"] if kind is None else faults(inner, kind, types, names, f"{where}.{key}")
    return found + [
        f"{where}.{key} is missing" for key, kind in allowed.items() if kind.endswith("!") and key not in value
    ]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_file_parses(file):
    assert parsed(file)


@pytest.mark.parametrize("resource", resources(), ids=lambda resource: resource.id)
def test_a_resource_is_as_azure_publishes_it(resource: Resource):
    types = PUBLISHED[f"{resource.type}@{resource.version}"]
    body = {key: value for key, value in resource.body.items() if key not in OF_BICEP}
    allowed = {key: kind for key, kind in of_body(resource, types).items() if key not in OF_BICEP}
    loop_names = {"each", "target", "rule", "container", "way", "address"}
    assert inner_faults(body, allowed, types, names_in(resource.file) | loop_names, resource.symbol) == []


@pytest.mark.parametrize("resource", resources(existing=True), ids=lambda resource: resource.id)
def test_a_resource_that_is_looked_up_has_a_published_version(resource: Resource):
    assert f"{resource.type}@{resource.version}" in PUBLISHED


def test_the_check_finds_what_is_wrong():
    types = PUBLISHED["Microsoft.Storage/storageAccounts@2025-01-01"]
    wrong = {
        "allowSharedKeyAcces": False,
        "minimumTlsVersion": "TLS1_9",
        "supportsHttpsTrafficOnly": "yes",
        "networkAcls": {"bypass": "None"},
    }
    assert faults(wrong, types["body"]["properties"], types, set(), "it") == [
        "it.allowSharedKeyAcces is unknown",
        "it.minimumTlsVersion is TLS1_9, not one of TLS1_0 | TLS1_1 | TLS1_2 | TLS1_3 | string",
        "it.supportsHttpsTrafficOnly is not bool",
        "it.networkAcls.defaultAction is missing",
    ]


MODULES = [(file, symbol, module) for file in FILES for symbol, module in parsed(file).get("modules", {}).items()]


@pytest.mark.parametrize(("file", "symbol", "module"), MODULES, ids=[symbol for _, symbol, _ in MODULES])
def test_a_module_is_given_what_it_asks_for(file, symbol, module):
    config = module["config"]
    given = config.get("config", config)["params"]
    asked = parsed(file.parent / module["detail"]["path"])["parameters"]
    assert set(given) <= set(asked)
    assert [name for name, one in asked.items() if one["default"] is None and name not in given] == []


def test_every_output_that_is_read_is_there():
    text = (INFRA / "main.bicep").read_text(encoding="utf-8")
    modules = parsed(INFRA / "main.bicep")["modules"]
    read = set(re.findall(r"\b(\w+)!?\.outputs\.(\w+)", text))
    assert read
    for symbol, output in read:
        assert output in parsed(INFRA / modules[symbol]["detail"]["path"])["outputs"], f"{symbol}.{output}"


def test_every_name_in_a_text_is_declared():
    for file in FILES:
        document = parsed(file)
        known = {
            name for kind in ("parameters", "variables", "resources", "modules") for name in document.get(kind, {})
        }
        known |= {"each", "target", "rule", "container", "way", "environment", "tenant"}
        used = set(re.findall(r"\$\{(\w+)", file.read_text(encoding="utf-8")))
        assert used <= known, file.name


def test_the_parameters_of_a_deployment_are_those_of_the_template():
    given = re.findall(
        r"^(?://\s*)?param (\w+) =", (INFRA / "main.bicepparam").read_text(encoding="utf-8"), re.MULTILINE
    )
    asked = parsed(INFRA / "main.bicep")["parameters"]
    assert set(given) <= set(asked)
    assert {name for name, one in asked.items() if one["default"] is None} <= set(given)


def test_every_parameter_of_the_template_is_described():
    for name, one in parsed(INFRA / "main.bicep")["parameters"].items():
        assert any(decorator["type"] == "description" for decorator in one["decorators"]), name


def test_every_parameter_is_used():
    for file in FILES:
        text = file.read_text(encoding="utf-8")
        for name in parsed(file).get("parameters", {}):
            assert len(re.findall(rf"\b{name}\b", text)) > 1, f"{file.name}: {name}"
