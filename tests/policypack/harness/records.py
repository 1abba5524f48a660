"""The resources of a case as a state file lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.policypack.harness.cases import CaseResource


def records(resources: Sequence[CaseResource]) -> list[dict[str, object]]:
    """Resources as a state file lists them, their providers among them."""
    urns = {one.name: one.urn for one in resources}
    providers = {one.provider_urn: one for one in resources if not one.is_component}
    return [
        *(
            {"urn": urn, "type": urn.split("::")[2], "custom": True, "inputs": one.provider_props}
            for urn, one in providers.items()
        ),
        *(
            {
                "urn": one.urn,
                "type": one.type,
                "custom": not one.is_component,
                "inputs": dict(one.props if one.inputs is None else one.inputs),
                "outputs": dict(one.props),
                "parent": urns.get(one.parent, ""),
                "provider": "" if one.is_component else f"{one.provider_urn}::id",
                "propertyDependencies": {
                    key: [urns.get(name, name) for name in names] for key, names in one.deps.items()
                },
            }
            for one in resources
        ),
    ]
