"""The binding window and pace: pure functions of usages and times."""
