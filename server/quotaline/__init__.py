"""When to ask a provider, what to remember, and what to tell the editor."""

from quotaline_providers import __version__ as __version__
