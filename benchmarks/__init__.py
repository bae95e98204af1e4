"""The budgets, measured: each beside its floor in the same run. `python -m benchmarks`, or `make bench`."""
