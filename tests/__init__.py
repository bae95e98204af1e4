"""The tests of Quotaline."""
