"""One module per provider, named by its id. Each exposes one `PROVIDER` value."""

UNREAD = frozenset(
    {
        "aiand",
        "clawrouter",
        "clinepass",
        "deepinfra",
        "fireworks",
        "ibmbob",
        "longcat",
        "neuralwatt",
        "notion",
        "qoder",
        "qwencloud",
        "sub2api",
        "wayfinder",
        "xai",
        "zenmux",
        "zoommate",
    }
)
"""Ids that CodexBar's config files use and that no provider has here (yet)."""
