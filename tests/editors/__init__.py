"""The clients in real editors."""
