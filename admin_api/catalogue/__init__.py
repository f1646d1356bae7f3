"""A catalogue to choose from: services that people block, and lists that others publish. Data, written for Saring.

Job: read the TOML files beside this one; enter what somebody chooses into the control database.
Must not know: HTTP. Nothing in it does anything until it is adopted, and an adopted list is switched off unless asked.
Read next: ``read.py``, ``adopt.py``.
"""
