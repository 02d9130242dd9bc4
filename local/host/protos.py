"""The messages between host and worker, as protobuf classes: those that the worker library's own package ships beside
it, in ``tests/protos``. A name of our own for them: ``tests`` may be another package."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import azure_functions_runtime_v1  # type: ignore[import-untyped]  # it ships no types

_NAME = "azure_functions_protos"
_FOLDER = Path(azure_functions_runtime_v1.__file__).parents[1] / "tests" / "protos"


def _load() -> ModuleType:
    places = [str(_FOLDER)]
    spec = importlib.util.spec_from_file_location(_NAME, _FOLDER / "__init__.py", submodule_search_locations=places)
    assert spec and spec.loader
    module = sys.modules[_NAME] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


protos: Any = _load()
