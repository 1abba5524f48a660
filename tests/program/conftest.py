from __future__ import annotations

import pytest

from tests.program.recording import Recording, declare


@pytest.fixture(scope="session")
def deployed() -> Recording:
    """The stack of `dev`, with everything that AWS computes known."""
    return declare()


@pytest.fixture(scope="session")
def previewed() -> Recording:
    """The stack of `dev` before its first deployment."""
    return declare(preview=True)


@pytest.fixture(scope="session")
def production() -> Recording:
    """The stack of `prod`, as its arguments' defaults make it."""
    return declare({"notification_email": "ops@example.com"}, stack="TapStackprod")
