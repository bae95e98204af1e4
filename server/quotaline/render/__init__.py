"""From states, settings and the time to text: status line, hover, report, terminal, JSON. Pure functions, nothing else.

Every surface takes a `Snapshot` (or one `ProviderState`) and a `View`. Submodules are imported only by those who show
that surface, so that a status line does not cost an HTML report.
"""
