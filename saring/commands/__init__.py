"""The commands of ``saring``, one module each.

Job: read arguments, call the package that does the work, print for people or as JSON.
Must not know: how any of it is done.
Read next: ``common.py``, then the command you are after.
"""
