"""Where a number comes from: every provider Quotaline can read, and the facilities they read with."""

__version__ = "0.1.0"
