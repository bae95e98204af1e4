"""How a strategy gets access: lookups of credentials, checks of addresses, programs of the login shell."""
