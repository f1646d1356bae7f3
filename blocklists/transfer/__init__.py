"""Response policy zones as a secondary holds them: probed, transferred, kept up to date (AXFR, IXFR, TSIG, NOTIFY).

Job: bring a zone from its primary into an entries file and the few RRs beside it, within memory that does not grow with
the zone; say when the primary is to be asked next.
Must not know: what an entry means for a client, HTTP, the control database.
Read next: ``framing.py`` (what a transfer is), ``exchange.py`` (one on the wire), ``zone_sync.py`` (its way into the
library), ``schedule.py`` (the SOA's timers).
"""
