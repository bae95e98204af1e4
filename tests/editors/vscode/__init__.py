"""VS Code's real workbench, with the packaged extension in it."""
