"""Child programs: starting, talking to, and ending them with everything they started."""
