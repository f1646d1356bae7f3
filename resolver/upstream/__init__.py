"""Asking upstream servers: from a question to a checked answer, or to the reason why there is none.

Job: queries that are hard to forge replies to, in clear text or encrypted; replies checked; failover in one deadline.
Must not know: policy, the cache, clients.
Read next: ``group.py`` (the door), ``exchange.py`` (what to do next, without sockets), ``dispatch.py`` (doing it),
``inbox.py`` (what comes back), ``dialect.py`` (what is believed of a server).
"""
