"""The comparisons of DESIGN 9, side by side in one run: ``python -m bench [part]``.

Each part is a module here with ``run() -> list[dict]``, whose rows ``report.row`` makes. Nothing here is a test:
figures of a busy or a slower machine differ, ratios between programs measured in the same run hardly do.
Read next: ``report.py`` (what a row says), ``resolver.py`` (the longest part).
"""
