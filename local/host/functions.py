"""The function folders: found as the Functions host finds them, loaded by the worker library.

The rules on names, triggers and routes are the host's own (HostFunctionMetadataProvider and Utility in the sources of
azure-functions-host); what a signature must look like is decided by the library.
"""

import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from azure_functions_runtime_v1 import (  # type: ignore[import-untyped]  # the library ships no types
    handle_event,
    loader,
    start_threadpool_executor,
)
from azure_functions_runtime_v1.bindings.meta import (  # type: ignore[import-untyped]  # as above
    load_binding_registry,
)
from azure_functions_runtime_v1.functions import (  # type: ignore[import-untyped]  # as above
    FunctionLoadError,
)

from local.host.errors import CannotStartError
from local.host.settings import read_json

_FUNCTION_NAME = re.compile(r"[a-z][a-z0-9_\-]{0,127}", re.IGNORECASE)
_BINDING_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9]{0,127}|\$return")
_TRIGGERS = ("httpTrigger", "queueTrigger", "timerTrigger")
_KNOWN = (*_TRIGGERS, "http")

# The library reads directions and data types off protobuf classes; these are the three names that it looks up.
_PROTOS = SimpleNamespace(BindingInfo=SimpleNamespace(inout="inout", out="out", undefined="undefined"))


@dataclass(frozen=True)
class Binding:
    """One entry of function.json's `bindings`; the library reads the first three fields by these names."""

    type: str
    direction: str
    data_type: str
    name: str
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Function:
    """One function folder. `bindings` by name: name, directory and bindings are what the library reads."""

    name: str
    directory: str
    script: Path
    entry_point: str
    bindings: Mapping[str, Binding]
    config: Mapping[str, Any]

    @property
    def trigger(self) -> Binding:
        """The one binding that starts it."""
        return next(binding for binding in self.bindings.values() if binding.type in _TRIGGERS)


def read_functions(root: Path, wanted: Collection[str]) -> list[Function]:
    """The functions under `root` by name: direct sub-directories with a function.json, all or only those `wanted`."""
    folders = {path.parent.name: path.parent for path in sorted(root.glob("*/function.json"))}
    missing = sorted(set(wanted) - set(folders))
    if missing:
        raise CannotStartError(f"No function folder named {missing[0]} in {root}.")
    functions = [_read(folder) for name, folder in folders.items() if not wanted or name in wanted]
    if not functions:
        raise CannotStartError(f"No folder in {root} holds a function.json.")
    return functions


def load_functions(functions: Collection[Function]) -> None:
    """Import each function and apply the signature contract; the library keeps them by name from here on."""
    load_binding_registry()
    loader.install()
    start_threadpool_executor()
    for function in functions:
        try:
            main = loader.load_function(
                function.name, function.directory, os.fspath(function.script), function.entry_point
            )
            handle_event._functions.add_function(function.name, main, function, _PROTOS)
        except FunctionLoadError as error:
            raise CannotStartError(f"{function.name} cannot load: {error}.") from None
        except Exception as error:
            # Whatever the user's module raises when it is imported; the traceback says where.
            raise CannotStartError(f"{function.name} cannot load: {type(error).__name__}: {error}") from error


def _read(folder: Path) -> Function:
    config = read_json(folder / "function.json")
    where = f"{folder.name}/function.json"
    if not _FUNCTION_NAME.fullmatch(folder.name) or folder.name.lower() == "host":
        raise CannotStartError(
            f"{folder.name} is not a function name: it must start with a letter, go on with letters, digits, "
            "- or _, have at most 128 characters and not be host."
        )
    entries = [_binding(where, entry) for entry in config.get("bindings", [])]
    bindings = {entry.name: entry for entry in entries}
    if len(bindings) < len(entries):
        raise CannotStartError(f"{where}: two bindings have the same name.")
    if sum(entry.type in _TRIGGERS for entry in entries) != 1:
        raise CannotStartError(f"{where}: a function needs exactly one trigger binding.")
    script = folder / config.get("scriptFile", "__init__.py")
    if not script.is_file():
        raise CannotStartError(f"{where}: its script file {script.name} is not there.")
    return Function(
        name=folder.name,
        directory=os.fspath(folder),
        script=script,
        entry_point=config.get("entryPoint", "main"),
        bindings=bindings,
        config=config,
    )


def _binding(where: str, entry: Mapping[str, Any]) -> Binding:
    name, kind, direction = (str(entry.get(key, "")) for key in ("name", "type", "direction"))
    if not _BINDING_NAME.fullmatch(name):
        raise CannotStartError(
            f"{where}: {name!r} is not a binding name: letters and digits only, starting with a letter, or $return."
        )
    if kind not in _KNOWN:
        raise CannotStartError(
            f"{where}: binding {name} has the type {kind!r}, which this host does not know; it knows "
            f"{', '.join(_KNOWN)}."
        )
    if direction not in ("in", "out", "inout"):
        raise CannotStartError(f"{where}: binding {name} needs a direction, in or out.")
    return Binding(
        type=kind, direction=direction, data_type=entry.get("dataType", "undefined"), name=name, options=entry
    )
