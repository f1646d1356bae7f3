"""The program: command line, configuration, supervisor, publisher (the composition root).

Job: wire the other packages together into processes.
Must not know: protocol details, SQL of features, decisions; those live in the packages it composes.
Read next: ``cli.py``, ``config.py``, ``supervisor.py``, ``publisher.py``.
"""
