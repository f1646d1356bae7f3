"""From a published list to the index that the resolver maps.

Job: fetch a source, parse its format, admit or refuse the update, keep versions, compile all admitted lists into
one memory-mapped index.
Must not know: agencies, rules, schedules (``policy``), the query log, the admin API.
Reading a compiled index (``index.py``, ``name_table.py``, ``beside.py``, ``address_table.py``, ``rules_index.py``) is
what workers do at their start, and needs no numpy; writing one (``compiler.py``, ``*_writer.py``, ``name_blocks.py``,
``block_bits.py``, ``bulk_hash.py``, ``merge.py``) is done in bulk, and does. A contract of import-linter holds it so.
Read next: ``sync.py`` (a source's way through the package on one screen), ``admission.py``, ``index.py``.
"""
