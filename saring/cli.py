"""``saring``: the command line. Each command is a module of ``saring/commands``, imported only when it is run.

Exit status: 0 done, 1 failed, 2 wrong usage. ``--json`` prints one JSON document (or one a line, for streams).
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from pathlib import Path

import click

from saring.interpreted import install_from_environment

# Before any command imports a hot module.
install_from_environment()

# name -> (module of saring.commands, its command, the line in --help: so that --help imports none of them)
COMMANDS: dict[str, tuple[str, str, str]] = {
    "serve": ("serve", "serve", "Run DNS, the admin API and everything else; Ctrl-C stops."),
    "check-config": ("check_config", "check_config", "Say what is wrong with the configuration, all at once."),
    "status": ("status", "status", "Show what runs, what is in force and what needs attention."),
    "check": ("check", "check", "Explain what becomes of a name, for a client or an agency, and why."),
    "lists": ("lists", "lists", "Blocklists: list, show, add, sync, who, overlap, history, rollback, accept."),
    "catalogue": ("catalogue", "catalogue", "Services and lists to choose from: services, sources, add."),
    "log": ("log", "log", "The query log: tail, search, top, totals."),
    "tenants": ("tenants", "tenants", "Agencies, units, networks: import, export, rename, merge, split, history."),
    "holidays": ("holidays", "holidays", "National holidays and joint leave: import."),
    "exceptions": ("exceptions", "exceptions", "Let through for a while: list, show, request, approve, deny, revoke."),
    "pause": ("pauses", "pause", "Let an agency or unit off for some minutes."),
    "pauses": ("pauses", "pauses", "Who is let off: list, end."),
    "cache": ("cache", "cache", "Cached answers: show, flush."),
    "token": ("token", "token", "Bearer tokens of the API: create, list, revoke."),
    "user": ("user", "user", "People who use the API: create, list, disable."),
    "init": ("init", "init", "Fill the control database from a regency document."),
    "policy": ("policy", "policy", "The whole policy: check, export, import."),
    "replay": ("replay", "replay", "What a draft would have done to queries that were asked."),
    "generations": ("generations", "generations", "Published generations: list, show, diff, restore."),
    "rollback": ("generations", "rollback", "Put an earlier snapshot generation in force."),
    "doctor": ("doctor", "doctor", "Look for what would keep Saring from working well."),
    "version": ("version", "version", "Print the version, and whether hot modules run compiled."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names, in the order of ``COMMANDS``."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command = getattr(importlib.import_module(f"saring.commands.{module}"), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The lines of ``--help``, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    help="Configuration file. Default: $SARING_CONFIG, ./saring.toml, /etc/saring/saring.toml.",
)
@click.pass_context
def cli(context: click.Context, config_path: Path | None) -> None:
    """Saring, a content-filtering DNS resolver."""
    context.obj = config_path


def main() -> None:
    """Entry point of the ``saring`` program."""
    # `saring log tail | head` ends like every other program there: quietly.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        # Not standalone: click would print "Error:" where every message of ours begins with the program's name.
        status = cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        print("saring: interrupted", file=sys.stderr)
        sys.exit(1)
    except click.UsageError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        print(f"saring: {error.format_message()}", file=sys.stderr)
        sys.exit(error.exit_code)
    sys.stdout.flush()
    sys.exit(status if isinstance(status, int) else os.EX_OK)


if __name__ == "__main__":
    main()
