"""What commands share: the configuration, failing with a message, printing as JSON or for people."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

if TYPE_CHECKING:
    from rich.console import RenderableType

    from saring.config import Loaded
    from saring.state_dir import StateDir

Function = TypeVar("Function", bound=Callable[..., Any])


def json_option(function: Function) -> Function:
    """Adds ``--json``, passed as ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)


def fail(message: str) -> NoReturn:
    """Ends the command with ``message`` and exit status 1."""
    raise click.ClickException(message)


def load_config(context: click.Context) -> Loaded:
    """The configuration in force; ends the command with every mistake where there are some."""
    from saring.config import load
    from saring.config_problem import ConfigError

    try:
        return load(context.find_root().obj, os.environ)
    except ConfigError as error:
        lines = "\n".join(f"  {problem}" for problem in error.problems)
        fail(f"the configuration cannot be used:\n{lines}")


def state_of(loaded: Loaded) -> StateDir:
    """The state directory of the configuration. It need not exist."""
    from saring.state_dir import StateDir

    return StateDir(loaded.config.state_dir)


def print_json(value: Any) -> None:
    """One JSON document. Non-ASCII letters stay: people read it, too."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def print_json_line(value: Any) -> None:
    """One JSON document on one line, at once: for streams."""
    click.echo(json.dumps(value, ensure_ascii=False, default=_plain))
    sys.stdout.flush()


def print_rich(what: RenderableType) -> None:
    """A table or text for people, as wide as their terminal."""
    from rich.console import Console

    # Without a terminal rich would break lines at 80 columns and cut names.
    width = None if sys.stdout.isatty() else 200
    Console(width=width, highlight=False, soft_wrap=not sys.stdout.isatty()).print(what)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | set | frozenset):
        return list(value)
    return str(value)
