"""What a role may do: in the setting, and on every route."""

import pytest

from shared.errors import DeploymentError
from shared.settings import read

LEAST = {"ExportStorage": "UseDevelopmentStorage=true"}


@pytest.mark.parametrize(("given", "role"), [({}, "contributor"), ({"FUNCTION_KEY_ROLE": "viewer"}, "viewer")])
def test_the_role_of_a_function_key(given: dict[str, str], role: str) -> None:
    assert read(LEAST | given).function_key_role == role


@pytest.mark.parametrize("value", ["Admin", "owner", "admin,viewer"])
def test_a_role_that_there_is_not(value: str) -> None:
    with pytest.raises(DeploymentError) as caught:
        read(LEAST | {"FUNCTION_KEY_ROLE": value})
    assert caught.value.field == "FUNCTION_KEY_ROLE"
    assert "viewer, contributor, admin" in caught.value.action
    assert value not in str(caught.value)
