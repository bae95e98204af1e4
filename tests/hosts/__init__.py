"""Tests of the host facilities."""
