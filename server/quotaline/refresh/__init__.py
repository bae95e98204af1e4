"""When accounts are read, and what comes of it."""
