"""The rules and taxonomies of a SARIF run: policies with their help, and the controls that they answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tapgate.plain import plain
from tapgate.reports.controls import PolicyInfo, control_order, framework_title
from tapgate.reports.links import web_address
from tapgate.reports.markdown_text import DOLLAR, prose
from tapgate.reports.wording import named

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tapgate.findings import Finding
    from tapgate.reports.dossier import Dossier

Key = tuple[str, str]

# What code scanning sorts by: the middle of each band of CVSS.
_SECURITY_SEVERITY: Final = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.0"}
_TEXT_LIMIT: Final = 1024


def sarif_text(text: str) -> str:
    """Return words as a SARIF message string: no placeholders (3.11.5) and no embedded links (3.11.6)."""
    return plain(text, keep="\n").replace("{", "{{").replace("}", "}}").replace("](", "] (")


class Rules:
    """The policies of a dossier as SARIF rules, each with its index.

    Args:
        dossier: the dossier; policies that were counted, that found something or that are described are in.
    """

    def __init__(self, dossier: Dossier) -> None:
        known = dossier.known_policies
        described: dict[Key, Finding] = {}
        keys: set[Key] = set(known)
        for report in dossier.stacks:
            keys.update((tally.pack, tally.policy) for tally in report.tallies)
            for finding in report.findings:
                described.setdefault((finding.pack, finding.policy), finding)
        keys.update(described)
        self._infos = [known.get(key, PolicyInfo(key[1], key[0])) for key in sorted(keys)]
        self._described = described
        self._index = {(info.pack, info.policy): number for number, info in enumerate(self._infos)}
        self._ids = _unique([_rule_id(info) for info in self._infos])
        controls = {one for info in self._infos for one in info.controls}
        self._taxa = {
            name: [one for one in sorted(controls, key=control_order) if one.framework == name]
            for name in sorted({one.framework for one in controls})
        }
        self._frameworks = list(self._taxa)

    def reference(self, finding: Finding) -> dict[str, object]:
        """Return a result's reference to its rule."""
        index = self._index[finding.pack, finding.policy]
        return {"ruleId": self._ids[index], "ruleIndex": index}

    def descriptors(self) -> list[dict[str, object]]:
        """Return the rules (`reportingDescriptor`)."""
        return [self._descriptor(rule_id, info) for rule_id, info in zip(self._ids, self._infos, strict=True)]

    def taxonomies(self) -> list[dict[str, object]]:
        """Return each framework with the controls that some rule answers."""
        return [
            {
                "name": plain(framework),
                "fullName": plain(framework_title(framework)),
                "shortDescription": {"text": sarif_text(framework_title(framework))},
                "isComprehensive": False,
                "taxa": [{"id": plain(one.identifier)} for one in taxa],
            }
            for framework, taxa in self._taxa.items()
        ]

    def references(self) -> list[dict[str, object]]:
        """Return the references of the tool to its taxonomies."""
        return [
            {"name": plain(framework), "index": number} for number, framework in enumerate(self._frameworks)
        ]

    def _descriptor(self, rule_id: str, info: PolicyInfo) -> dict[str, object]:
        finding = self._described.get((info.pack, info.policy))
        title = named(info.title, info.policy, "unnamed policy")
        about = info.description or (finding.description if finding else "") or title
        why = finding.why if finding else ""
        fix = info.remediation or (finding.fix if finding else "")
        severity = info.severity or (finding.severity if finding else "")
        address = web_address(info.url)
        return {
            "id": rule_id,
            "shortDescription": {"text": sarif_text(title)[:_TEXT_LIMIT]},
            "fullDescription": {"text": sarif_text(about)[:_TEXT_LIMIT]},
            "help": _help(about, why, fix),
            **({"helpUri": address} if address else {}),
            "properties": {
                "tags": _tags(info),
                "precision": "very-high",
                **_severities(severity),
            },
            **({"relationships": self._relationships(info)} if info.controls else {}),
        }

    def _relationships(self, info: PolicyInfo) -> list[Mapping[str, object]]:
        return [
            {
                "target": {
                    "id": plain(one.identifier),
                    "index": self._taxa[one.framework].index(one),
                    "toolComponent": {
                        "name": plain(one.framework),
                        "index": self._frameworks.index(one.framework),
                    },
                },
                "kinds": ["relevant"],
            }
            for one in info.controls
        ]


def _rule_id(info: PolicyInfo) -> str:
    return plain("/".join(part for part in (info.pack, info.policy) if part)) or "unnamed"


def _unique(wanted: Iterable[str]) -> list[str]:
    """Number the ids that several policies would share."""
    taken: list[str] = []
    for one in wanted:
        number, chosen = 1, one
        while chosen in taken:
            number += 1
            chosen = f"{one}~{number}"
        taken.append(chosen)
    return taken


def _help(about: str, why: str, fix: str) -> dict[str, str]:
    parts = [("", about), ("Why: ", why), ("Fix: ", fix)]
    said = [(label, words) for label, words in parts if words]
    return {
        "text": "\n".join(sarif_text(label + words) for label, words in said),
        "markdown": "\n\n".join(
            label + sarif_text(prose(words).replace(DOLLAR, "$")) for label, words in said
        ),
    }


def _tags(info: PolicyInfo) -> list[str]:
    return list(dict.fromkeys(plain(tag) for tag in ("security", *info.tags)))


def _severities(severity: str) -> dict[str, str]:
    if severity not in _SECURITY_SEVERITY:
        return {}
    return {"severity": severity, "security-severity": _SECURITY_SEVERITY[severity]}
