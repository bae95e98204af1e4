"""How a strategy is let in: lookups of credentials, checks of addresses, programs of the login shell."""
