"""Asking upstream servers: from a question to a checked answer, or to the reason why there is none.

Job: queries with unpredictable ports and IDs, replies checked, TCP where UDP does not do, failover in one deadline.
Must not know: policy, the cache, clients.
Read next: ``group.py`` (the door), ``exchange.py`` (what to do next, without sockets), ``dispatch.py`` (doing it).
"""
