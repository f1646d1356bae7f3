"""Bytes <-> facts of the DNS protocol: names, queries, responses, EDNS.

Job: turn bytes from the network into facts, or refuse them with a reason, and turn facts into bytes.
Must not know: sockets, asyncio, clocks, policy, files. Every function here is a pure function of its arguments.
Read next: ``name.py`` (wire names), ``query.py`` (the strict parser of what clients send), ``answer.py`` (what
upstreams send), ``response.py`` (what Saring sends).
"""
