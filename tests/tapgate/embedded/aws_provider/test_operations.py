"""The operations that describe how types are deployed, held against botocore's models of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import botocore.session
import pytest

from tapgate.embedded.aws_provider.operations import Call, Subject, Wanted, alike, own, told
from tapgate.embedded.aws_provider.types import MODULES, described

if TYPE_CHECKING:
    from collections.abc import Iterator


def _calls() -> Iterator[tuple[str, str, Call]]:
    for module in MODULES:
        for token, description in described(module).items():
            operations = description.operations
            if operations is None:
                continue
            groups = operations.property_groups
            found = [operations.create, operations.read, operations.find, *operations.delete]
            found += [call for group in groups for call in (group.put, group.clear, group.read)]
            for call in found:
                if isinstance(call, Call):
                    yield token, call.service or operations.service, call


@pytest.mark.parametrize("module", MODULES)
def test_every_parameter_is_a_member_of_its_operation(module: str) -> None:
    session = botocore.session.get_session()
    checked = 0
    for token, service, call in _calls():
        if not token.startswith(f"aws:{module}/"):
            continue
        model = session.get_service_model(service)
        names = {name.lower(): name for name in model.operation_names}
        shape = model.operation_model(names[call.operation.replace("_", "")]).input_shape
        assert set(call.params) <= set(shape.members if shape is not None else ()), (token, call.operation)
        checked += 1
    assert checked > 2


def test_names_that_are_alike_are_said_once() -> None:
    subject = Subject("", {"roleName": "r"}, "eu-west-2", "1")
    assert alike("roleName", "path") == {"roleName": "RoleName", "path": "Path"}
    assert own("roleName") == {"RoleName": Wanted("roleName")}
    assert told("Role", "roleName")["roleName"]({"Role": {"RoleName": "r"}}, subject) == "r"
    assert told("", "roleName")["roleName"]({"RoleName": "r"}, subject) == "r"
