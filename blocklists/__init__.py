"""From a published list to the index that the resolver maps.

Job: fetch a source, parse its format, admit or refuse the update, keep versions, compile all admitted lists into
one memory-mapped index.
Must not know: agencies, rules, schedules (``policy``), the query log, the admin API.
Read next: ``sync.py`` (a source's way through the package on one screen), ``admission.py``, ``index.py``.
"""
