"""From the folder of rules to the policies of the pack, so that a new rule is one file and nothing else."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Final

from tap_guardrails.model import ANY_TYPE, ResourceRule, Rule, StackRule
from tap_guardrails.model.values import record

RULES_FOLDER: Final = Path(__file__).with_name("rules")


@record
class Framework:
    """A published set of requirements.

    Attributes:
        version: The edition that the mappings are taken from.
        tag: What its controls' tags begin with.
    """

    name: str
    version: str
    tag: str


MOST_SERVICES: Final = 40
"""Services from which on a policy is of no service in particular, and its tags name none."""

FRAMEWORKS: Final = {
    "FSBP": Framework("AWS Foundational Security Best Practices", "1.0.0", "aws-fsbp"),
    "CIS": Framework("CIS AWS Foundations Benchmark", "3.0.0", "cis-aws-v3.0.0"),
    "NIST": Framework("NIST SP 800-53", "Revision 5", "nist-800-53-r5"),
    "PCI": Framework("PCI DSS", "4.0.1", "pci-dss-v4.0.1"),
}


def tags_of(rule: Rule) -> list[str]:
    """Return a policy's tags: the services that it is about, unless they are most, and what it answers."""
    services = {token.split(":")[1].split("/")[0] for token in rule.types if token != ANY_TYPE}
    if len(services) > MOST_SERVICES:
        services.clear()
    controls = [f"{FRAMEWORKS[control.framework].tag}:{control.identifier}" for control in rule.answered]
    return ["aws", *sorted(services), *controls]


def find_rules(folder: Path = RULES_FOLDER, package: str = "tap_guardrails.rules") -> tuple[Rule, ...]:
    """Import every rule of a folder: one a file, named like the file.

    Raises:
        TypeError: A file without a rule, or one whose rule has another name.
    """
    names = sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))
    return tuple(find_rule(name, importlib.import_module(f"{package}.{name}")) for name in names)


def find_rule(file_name: str, module: object) -> Rule:
    """Return a module's rule."""
    rule = getattr(module, "RULE", None)
    if isinstance(rule, (ResourceRule, StackRule)) and rule.name == file_name.replace("_", "-"):
        return rule
    raise TypeError(f"rules/{file_name}.py must define RULE, named `{file_name.replace('_', '-')}`")
