"""Every answered query, from the worker's memory to a store that can be searched.

Job: the spool (durable end of the data plane), the loader (exactly once into the store), stores, queries on them.
Must not know: how a query was answered, the control database, HTTP.
Read next: ``record.py`` (what one row says), ``spool.py``, ``loader.py``, ``store.py``.
"""
