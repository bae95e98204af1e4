"""The exit codes of all commands."""

OK = 0
FAILED = 1
"""Some of the providers that were asked did not answer."""
USAGE_ERROR = 2
NOTHING_CONFIGURED = 3
INTERRUPTED = 130
