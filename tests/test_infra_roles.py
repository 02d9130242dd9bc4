"""Who may do what: every role in one file under its name, before the app, and no more of them than it needs."""

from typing import Any

from infra_templates import INFRA, of_type, parsed, variable, walk

ROLES = "Microsoft.Authorization/roleAssignments"

# Microsoft's list of built-in roles, which are the same in every tenant.
BUILT_IN = {
    "Storage Blob Data Owner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "Storage Blob Data Contributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "Storage Blob Data Reader": "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
    "Storage Queue Data Contributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "Storage Table Data Contributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
    "Key Vault Secrets Officer": "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
    "Monitoring Metrics Publisher": "3913510d-42f4-4e42-8a64-420c390055eb",
}


def modules() -> dict[str, Any]:
    found = parsed(INFRA / "main.bicep")["modules"]
    return {symbol: one["config"].get("config", one["config"]) for symbol, one in found.items()}


def _is_role(one: Any) -> bool:
    operator = one.get("operator", {}) if isinstance(one, dict) else {}
    return operator.get("type") == "index_accessor" and operator["operands"]["operand_1"] == "role"


def test_every_role_is_assigned_in_one_file_under_its_name():
    assert {one.file for one in of_type(ROLES)} == {"modules/roles.bicep"}
    named = {key.strip("'"): value for key, value in variable("modules/roles.bicep", "role").items()}
    assert named == BUILT_IN
    for assignment in of_type(ROLES):
        used = [one["operator"]["operands"]["operand_2"] for one in walk(assignment.body) if _is_role(one)]
        assert len(used) == 2, f"{assignment.symbol}: its name is computed from the role that it assigns"
        assert used[0] == used[1]
        assert assignment.conditional


def test_the_app_may_do_what_it_needs_and_no_more():
    granted = {
        (
            one.body["scope"],
            next(each["operator"]["operands"]["operand_2"] for each in walk(one.body) if _is_role(each)),
        )
        for one in of_type(ROLES)
        if one.body["properties"]["principalId"] == "principalId"
    }
    assert granted == {
        ("storage", "Storage Blob Data Owner"),
        ("storage", "Storage Queue Data Contributor"),
        ("storage", "Storage Table Data Contributor"),
        ("vault", "Key Vault Secrets User"),
        ("insights", "Monitoring Metrics Publisher"),
        ("container", "Storage Blob Data Reader"),
    }


def test_roles_are_there_before_the_app():
    assert set(modules()["app"]["dependsOn"]) == {"roles", "segmentRoles"}


def test_an_account_that_exists_gets_one_role_and_nothing_else():
    given = modules()["segmentRoles"]
    assert set(given["params"]) == {"principalId", "segmentAccount", "segmentContainer"}
    assert given["scope"]["function"]["parameters"] == {
        "resource_group_name": "segmentResourceGroup",
        "subscription_id": "segmentSubscription",
    }
