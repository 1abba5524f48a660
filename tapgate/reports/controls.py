"""Which published controls a policy answers, read from the metadata of its pack.

A pack names controls in its policies' tags, `framework:control` (`aws-fsbp:KMS.4`), and may name one more
in Pulumi's own compliance framework field. Neither has to be there: a report without them still has its
policies.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from tapgate.json_access import mapping, sequence, text, texts

# A control's identifier has a digit (`KMS.4`, `AC-6`, `3.6`), which a label such as `team:payments` has not.
_CONTROL_TAG: Final = re.compile(
    r"(?P<framework>[A-Za-z][\w.-]*):(?P<control>(?=[^:]*[0-9])[A-Za-z0-9][^:]*)"
)
_NO_FRAMEWORKS: Final = frozenset({"arn", "urn", "http", "https"})
_TITLES: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(r"(?:aws-)?fsbp"), "AWS Foundational Security Best Practices"),
    (re.compile(r"cis(?:-aws)?(?:-v(?P<version>[\d.]+))?"), "CIS AWS Foundations Benchmark {version}"),
    (re.compile(r"nist(?:-800-53)?(?:-r(?P<version>\d+))?"), "NIST SP 800-53 {version}"),
    (re.compile(r"pci(?:-dss)?(?:-v(?P<version>[\d.]+))?"), "PCI DSS {version}"),
)
_DIGITS: Final = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True)
class Control:
    """A requirement of a published framework.

    Attributes:
        framework: the framework's key, as the pack's tags have it (`aws-fsbp`).
        identifier: the control's identifier in it (`KMS.4`).
    """

    framework: str
    identifier: str


@dataclass(frozen=True, slots=True)
class PolicyInfo:
    """What a pack says of one of its policies.

    Attributes:
        severity: low, medium, high, critical, or empty.
        tags: the pack's own words, controls among them.
        framework: name and version of the framework in Pulumi's compliance field, or empty.
        reference: the control in that framework, or empty.
    """

    policy: str
    pack: str
    title: str = ""
    description: str = ""
    severity: str = ""
    url: str = ""
    remediation: str = ""
    tags: tuple[str, ...] = ()
    framework: str = ""
    reference: str = ""

    @property
    def controls(self) -> tuple[Control, ...]:
        """The controls that the policy answers: of its tags, and of the compliance field if no tag has it."""
        tagged = set(_tagged(self.tags))
        named = self.framework.strip() and self.reference.strip()
        if named and self.reference not in {one.identifier for one in tagged}:
            tagged.add(Control(self.framework, self.reference))
        return tuple(sorted(tagged, key=control_order))


def _tagged(tags: Iterable[str]) -> Iterator[Control]:
    for tag in tags:
        match = _CONTROL_TAG.fullmatch(tag.strip())
        if match is not None and match["framework"].lower() not in _NO_FRAMEWORKS:
            yield Control(match["framework"], match["control"])


def control_order(control: Control) -> tuple[str, tuple[tuple[int, int, str], ...], str]:
    """Category key that puts `3.10` after `3.9`, and `SC-12` before `SC-12(2)`."""
    parts = (
        (0, int(token), "") if token.isdecimal() and token.isascii() else (1, 0, token)
        for token in _DIGITS.split(control.identifier)
        if token
    )
    return control.framework, tuple(parts), control.identifier


def framework_title(framework: str) -> str:
    """Return a framework's name for people; for one that is not known, its key."""
    for pattern, title in _TITLES:
        match = pattern.fullmatch(framework.lower())
        if match is not None:
            version = match.groupdict().get("version") or ""
            revision = f"Rev. {version}" if version.isdecimal() else version
            return title.format(version=revision).strip()
    return framework


def policies_of(pack: Mapping[str, object]) -> tuple[PolicyInfo, ...]:
    """Read a pack's description, in the JSON form of Pulumi's `AnalyzerInfo` message."""
    name = text(pack.get("name"))
    infos = (_policy(name, mapping(one)) for one in sequence(pack.get("policies")))
    return tuple(sorted((one for one in infos if one.policy), key=lambda one: one.policy))


def _policy(pack: str, body: Mapping[str, object]) -> PolicyInfo:
    framework = mapping(body.get("framework"))
    title = f"{text(framework.get('name'))} {text(framework.get('version'))}".strip()
    severity = text(body.get("severity")).removeprefix("POLICY_SEVERITY_").lower()
    return PolicyInfo(
        policy=text(body.get("name")),
        pack=pack,
        title=text(body.get("displayName")),
        description=text(body.get("description")),
        severity="" if severity == "unspecified" else severity,
        url=text(body.get("url")),
        remediation=text(body.get("remediationSteps")) or text(body.get("remediation_steps")),
        tags=texts(body.get("tags")),
        framework=title,
        reference=text(framework.get("reference")),
    )
