"""The running pack, for an operator who lets programs waive some policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.policypack.harness.waived import IN_FORCE, WAIVABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.policypack.harness.pack import Pack


@pytest.fixture
def pack(shared_pack: Pack) -> Iterator[Pack]:
    """The running pack, with every other policy at its defaults, for a stack that configures nothing."""
    shared_pack.standing = {IN_FORCE: WAIVABLE}
    shared_pack.configure_stack()
    shared_pack.configure()
    yield shared_pack
    shared_pack.standing = {}
