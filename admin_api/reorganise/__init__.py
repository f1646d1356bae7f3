"""Agencies renamed, merged and split.

Job: move all that belongs to an agency to whom it is asked (``belongings.py``), enter the succession by which old
reports are read (``succession.py``, ``admin_api/lineage.py``), and tell what is done (``ledger.py``). Identifiers are
never given again, nor are the codes that end here (``admin_api/history.py``).
Must not know: HTTP, publishing, the query log.
"""
