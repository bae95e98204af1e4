"""Language features of the config file in an editor."""
