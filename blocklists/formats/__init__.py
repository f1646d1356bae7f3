"""The syntaxes in which lists are published, one a file.

Job: turn chunks of whole lines into keys, in bulk, and account for everything that is no entry.
Must not know: files, networks, what is done with a list.
Read next: ``harvest.py`` (what a format hands over, and the ``Format`` interface), ``bulk.py`` (the fast pass),
``odd.py`` (the careful one), ``detect.py`` (where a new format is registered).
"""
