"""A published generation on disk: everything a decision needs, immutable, checksummed, numbered.

Job: write a generation beside the old one and swap one reference; open the newest sound one; roll back.
Must not know: the control database, where lists come from, how DNS is spoken.
Read next: ``generation.py`` (layout and opening), ``publish.py`` (writing and swapping).
"""
