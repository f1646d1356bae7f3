"""``saring serve``."""

from __future__ import annotations

import os

import click

from saring.commands.common import fail, load_config, state_of


@click.command()
@click.pass_context
def serve(context: click.Context) -> None:
    """Run DNS, the admin API and everything else; Ctrl-C stops.

    SIGHUP reads the configuration again. One instance owns a state directory.
    """
    from saring import logs
    from saring.program import listen
    from saring.program import serve as run
    from saring.sockets import BindError
    from saring.state_dir import HeldError, Lock

    loaded = load_config(context)
    logs.configure(loaded.config.log.level, loaded.config.log.format, "supervisor")
    state = state_of(loaded)
    try:
        state.create()
        lock = Lock.take(state.run / "supervisor.pid")
    except OSError as error:
        fail(
            f"the state directory {state.root} cannot be used: {error.strerror}: {error.filename}. "
            "Make it writable for this user, or set [storage] state_dir."
        )
    except HeldError as held:
        who = f"process {held.pid}" if held.pid else "another process"
        fail(f"{state.root} is in use by another Saring ({who}). Stop it, or give this one a state_dir of its own.")
    with lock:
        try:
            listening = listen(loaded.config, lambda text: click.echo(f"saring: {text}", err=True))
        except BindError as error:
            fail(str(error))
        try:
            context.exit(run(loaded, os.environ, listening))
        finally:
            listening.close()
