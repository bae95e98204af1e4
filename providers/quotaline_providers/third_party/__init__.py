"""Providers that are not built in: an installed package's, or a Python file the user has approved."""
