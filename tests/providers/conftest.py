"""What the tests of several providers need beside the nouns of all tests."""

from __future__ import annotations

import pytest

from quotaline_providers.testing import Read, Reader
from quotaline_providers.vendors.claude.keychain import GRANTED


@pytest.fixture
def mac(reader: Reader) -> Read:
    """As `read`, on a Mac whose user has not let this process into the Keychain yet."""
    GRANTED.clear()
    return reader.on("darwin").read
