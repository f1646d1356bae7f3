"""The admin API over HTTP, and the control database of what people edit.

Job: routes, request and response schemas, authentication, audit; SQLAlchemy models and Alembic migrations.
Must not know: the resolver (never imported), sockets of DNS, how processes are supervised. What it needs from the
program it is handed as ``Services``.
Read next: ``app.py`` (assembly as a table of contents), ``services.py``, ``models.py``.
"""
