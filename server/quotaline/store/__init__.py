"""What all sidecars and commands of a user share."""
