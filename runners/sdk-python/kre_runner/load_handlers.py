"""Imports the user's file into this process."""

from __future__ import annotations

import importlib.util
import os
import sys
from types import ModuleType

from .handler_errors import TerminalError
from .handler_module import NodeHandlers, read_handler_module

_MODULE_NAME = "__kre_handler__"
"""No name that a module of the bundle has: the file's own stem may be that of a package beside it."""
_OURS = frozenset(("google", "kre_runner"))
"""Packages that the worker has loaded. A ``google`` folder without ``__init__.py`` is a part of that package."""


def load_handlers(base_path: str, handler_path: str, is_batched: bool = False) -> NodeHandlers:
    """Raises whatever the file raises, and TerminalError when it is missing or defines no handler."""
    file = os.path.join(base_path, handler_path)
    if not os.path.isfile(file):
        raise TerminalError(f'the bundle has no file "{handler_path}"')
    add_import_folders(os.path.dirname(file), base_path)
    with open(file, encoding="utf-8", errors="replace") as source:
        return read_handler_module(_import_file(file), source.read(), is_batched)


def add_import_folders(*folders: str) -> None:
    """Makes the folders importable, first one first: before installed packages, but behind the standard library.

    A ``queue.py`` of the bundle must not take the place of the one that Python and this package import.
    """
    installed = (
        i for i, path in enumerate(sys.path) if path.endswith(("site-packages", "dist-packages"))
    )
    at = next(installed, len(sys.path))
    sys.path[at:at] = [folder for folder in dict.fromkeys(folders) if folder not in sys.path]


def hidden_modules(base_path: str, handler_path: str) -> list[str]:
    """Paths in the bundle that no import finds, because Python or the worker has a module of that name."""
    taken = _OURS | getattr(sys, "stdlib_module_names", frozenset())  # since Python 3.10
    hidden: set[str] = set()
    for folder in {os.path.dirname(handler_path), ""}:
        for entry in os.scandir(os.path.join(base_path, folder)):
            name, suffix = os.path.splitext(entry.name)
            is_package = suffix == "" and os.path.isfile(os.path.join(entry.path, "__init__.py"))
            if name in taken and (suffix == ".py" or is_package):
                hidden.add(os.path.join(folder, entry.name))
    return sorted(hidden)


def _import_file(file: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(_MODULE_NAME, file)
    if spec is None or spec.loader is None:
        raise TerminalError(
            f'"{os.path.basename(file)}" is no Python file: its name must end in .py'
        )
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and pickle look their module up by name.
    sys.modules[_MODULE_NAME] = module
    spec.loader.exec_module(module)
    return module
