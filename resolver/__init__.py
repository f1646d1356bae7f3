"""From a query on the wire to a response on the wire.

Job: listeners, the pipeline, the cache, upstreams, one worker process.
Must not know: the control database, the admin API, where lists come from. It reads a snapshot and appends to the spool.
Read next: ``pipeline.py``: a query's way on one screen. Its order is the security policy.
"""
