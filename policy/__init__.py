"""Who may resolve what, when and why.

Job: facts about tenants, rules and schedules; one decision function; its explanation.
Must not know: I/O of any kind, its own clock (time is an argument), how a snapshot is stored, how DNS is spoken.
Read next: ``model.py`` (the facts), ``decide.py`` (the order of layers), ``resolve.py`` (the policy at an instant).
"""
