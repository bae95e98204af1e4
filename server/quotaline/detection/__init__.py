"""Which providers and accounts this machine has."""
