"""The function folders, found as the Functions host finds them.

The rules on names, triggers and routes are the host's own (HostFunctionMetadataProvider and Utility in the sources of
azure-functions-host); what a signature must look like is decided by the worker, which loads them.
"""

import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.host.errors import CannotStartError
from local.host.settings import read_json

_FUNCTION_NAME = re.compile(r"[a-z][a-z0-9_\-]{0,127}", re.IGNORECASE)
_BINDING_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9]{0,127}|\$return")
_TRIGGERS = ("httpTrigger", "queueTrigger", "timerTrigger")
_KNOWN = (*_TRIGGERS, "http")


@dataclass(frozen=True)
class Binding:
    """One entry of function.json's `bindings`."""

    type: str
    direction: str
    name: str
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Function:
    """One function folder, with its `bindings` by name."""

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
    return Binding(type=kind, direction=direction, name=name, options=entry)
