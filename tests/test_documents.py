"""docs/settings.md and the example of a settings file hold every setting, with the defaults of the code."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from shared.settings import read

ROOT = Path(__file__).resolve().parents[1]
ROW = re.compile(r"^\| `(\w+)` \|.*\|([^|]*)\|$", re.MULTILINE)


class Recording(Mapping[str, str]):
    """An environment that remembers what it is asked for."""

    def __init__(self, values: dict[str, str]) -> None:
        self._values = values
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def settings_read() -> set[str]:
    """What the app asks its environment for, and what the bindings do."""
    environment = Recording({"ExportStorage": "UseDevelopmentStorage=true"})
    read(environment)
    bindings = "".join(path.read_text() for path in ROOT.glob("*/function.json"))
    return environment.asked | set(re.findall(r"%(\w+)%", bindings))


def documented() -> dict[str, str]:
    """Settings with their defaults, as docs/settings.md says."""
    return {name: text.strip() for name, text in ROW.findall((ROOT / "docs/settings.md").read_text())}


def example() -> dict[str, str]:
    values: dict[str, str] = json.loads((ROOT / "local.settings.example.json").read_text())["Values"]
    return values


def test_every_setting_is_documented_and_no_other() -> None:
    assert set(documented()) == settings_read()


def test_the_example_holds_every_setting_that_is_of_use_on_ones_own_machine() -> None:
    of_the_platform = {"FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsStorage"}
    secrets = {name for name in example() if name.startswith("SECRET_")}
    assert set(example()) - of_the_platform - secrets == {name for name in settings_read() if "__" not in name}
    assert secrets


def test_the_example_changes_no_default() -> None:
    assert read(example()) == read({"ExportStorage": example()["ExportStorage"]})


def test_the_documented_defaults_are_those_of_the_code() -> None:
    given = {name: text.strip("`") for name, text in documented().items() if text.startswith("`")}
    least = {"ExportStorage": "UseDevelopmentStorage=true"}
    assert len(given) >= 5
    assert read(least | given) == read(least)
