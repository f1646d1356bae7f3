"""The embedded store: immutable Parquet segments, and a manifest that says which of them count.

Job: load, search, compact and drop on one machine without a server.
Must not know: the spool's bytes, policy, who asks.
Read next: ``manifest.py`` (what makes a load exactly once), ``store.py``, ``compaction.py``.
"""
