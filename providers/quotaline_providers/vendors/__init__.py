"""One module per provider, named by its id. Each exposes one `PROVIDER` value."""
