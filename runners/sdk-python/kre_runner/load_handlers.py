"""Imports the user's file into this process."""

from __future__ import annotations

import importlib.util
import os
import sys
from types import ModuleType

from .handler_errors import TerminalError
from .handler_module import NodeHandlers, read_handler_module

_MODULE_NAME = "kre_handler"
"""No name that a module of the bundle has: the file's own stem may be that of a package beside it."""


def load_handlers(base_path: str, handler_path: str) -> NodeHandlers:
    """Raises whatever the file raises, and TerminalError when it is missing or defines no handler."""
    file = os.path.join(base_path, handler_path)
    if not os.path.isfile(file):
        raise TerminalError(f'the bundle has no file "{handler_path}"')
    add_import_folders(os.path.dirname(file), base_path)
    with open(file, encoding="utf-8", errors="replace") as source:
        return read_handler_module(_import_file(file), source.read())


def add_import_folders(*folders: str) -> None:
    """Makes the folders importable, first one first: before installed packages, but behind the standard library.

    A ``queue.py`` of the bundle must not take the place of the one that Python and this package import.
    """
    installed = (
        i for i, path in enumerate(sys.path) if path.endswith(("site-packages", "dist-packages"))
    )
    at = next(installed, len(sys.path))
    sys.path[at:at] = [folder for folder in dict.fromkeys(folders) if folder not in sys.path]


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
