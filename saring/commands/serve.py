"""``saring serve``."""

from __future__ import annotations

import os

import click

from saring.commands.common import fail, load_config, state_of


@click.command()
@click.pass_context
def serve(context: click.Context) -> None:
    """Run DNS, the admin API and everything else; Ctrl-C stops.

    SIGHUP reads the configuration again. SIGUSR2 puts the program that is on disk now in the place of the running one,
    without a query lost. One instance owns a state directory.
    """
    from saring import logs
    from saring.handover import VARIABLE, take
    from saring.listening import listen
    from saring.program import serve as run
    from saring.sockets import BindError
    from saring.state_dir import HeldError, Lock

    try:
        before = take(os.environ)
    except ValueError as error:
        fail(str(error))
    environ = {name: value for name, value in os.environ.items() if name != VARIABLE}
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
            listening = listen(loaded.config, environ, lambda text: click.echo(f"saring: {text}", err=True), before)
        except BindError as error:
            fail(str(error))
        try:
            context.exit(run(loaded, environ, listening, before))
        finally:
            listening.close()
