"""From an HTTP request to a typed call and back: routes, parsing, problems, authentication, OpenAPI.

Job: everything that all features share and no feature should repeat.
Must not know: any feature. Read next: ``route.py`` (what a feature declares), ``dispatch.py`` (the order of checks).
"""
