"""The language server: Quotaline's protocol to editors, version 1."""
