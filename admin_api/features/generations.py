"""Placeholder."""
ROUTES = ()
