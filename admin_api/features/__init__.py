"""What the API offers, one feature a file: its schemas, its rows, its routes.

Job: the meaning of each resource. Must not know: aiohttp, other features.
"""
