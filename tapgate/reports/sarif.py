"""SARIF 2.1.0, for code scanning and editors.

Specification: https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/sarif-v2.1.0-errata01-os-complete.html.
All stacks are in one run, since code scanning takes few runs in a file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from tapgate.json_access import file_reference, sanitized, web_address
from tapgate.reports.controls import PolicyInfo, control_order, framework_title
from tapgate.reports.entry import (
    Identity,
    Waiver,
    about,
    identified,
    instant,
    labelled,
    named,
    resource,
    source_of,
    waiver_of,
)
from tapgate.reports.markdown import DOLLAR, prose

if TYPE_CHECKING:
    from tapgate.findings import Finding, Report
    from tapgate.reports.verdict_file import Unaudited, VerdictFile

Key = tuple[str, str]

# What code scanning categories by: the middle of each band of CVSS.
_SECURITY_SEVERITY: Final = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.0"}
_TEXT_LIMIT: Final = 1024


def sarif_text(text: str) -> str:
    """Return words as a SARIF message string: no placeholders (3.11.5) and no embedded links (3.11.6)."""
    return sanitized(text, keep="\n").replace("{", "{{").replace("}", "}}").replace("](", "] (")


class Rules:
    """The policies of a verdict file as SARIF rules, each with its index."""

    def __init__(self, verdicts: VerdictFile) -> None:
        known = verdicts.known_policies
        described: dict[Key, Finding] = {}
        keys: set[Key] = set(known)
        for report in verdicts.stacks:
            keys.update((tally.pack, tally.policy) for tally in report.tallies)
            for finding in report.findings:
                described.setdefault((finding.pack, finding.policy), finding)
        keys.update(described)
        self._infos = [known.get(key, PolicyInfo(key[1], key[0])) for key in sorted(keys)]
        self._described = described
        self._index = {(info.pack, info.policy): number for number, info in enumerate(self._infos)}
        names = ("/".join(filter(None, (info.pack, info.policy))) for info in self._infos)
        self._ids = _unique(sanitized(name) or "unnamed" for name in names)
        controls = {one for info in self._infos for one in info.controls}
        self._taxa = {
            name: [one for one in sorted(controls, key=control_order) if one.framework == name]
            for name in sorted({one.framework for one in controls})
        }

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
                "name": sanitized(framework),
                "fullName": sanitized(framework_title(framework)),
                "shortDescription": {"text": sarif_text(framework_title(framework))},
                "isComprehensive": False,
                "taxa": [{"id": sanitized(one.identifier)} for one in taxa],
            }
            for framework, taxa in self._taxa.items()
        ]

    def references(self) -> list[dict[str, object]]:
        """Return the references of the tool to its taxonomies."""
        return [
            {"name": sanitized(framework), "index": number} for number, framework in enumerate(self._taxa)
        ]

    def _descriptor(self, rule_id: str, info: PolicyInfo) -> dict[str, object]:
        finding = self._described.get((info.pack, info.policy))
        title = named(info.title, info.policy, "unnamed policy")
        description = info.description or (finding.description if finding else "") or title
        why = finding.why if finding else ""
        fix = info.remediation or (finding.fix if finding else "")
        severity = info.severity or (finding.severity if finding else "")
        address = web_address(info.url)
        return {
            "id": rule_id,
            "shortDescription": {"text": sarif_text(title)[:_TEXT_LIMIT]},
            "fullDescription": {"text": sarif_text(description)[:_TEXT_LIMIT]},
            "help": _help(description, why, fix),
            **({"helpUri": address} if address else {}),
            "properties": {
                "tags": list(dict.fromkeys(sanitized(tag) for tag in ("security", *info.tags))),
                "precision": "very-high",
                **_severities(severity),
            },
            **({"relationships": self._relationships(info)} if info.controls else {}),
        }

    def _relationships(self, info: PolicyInfo) -> list[Mapping[str, object]]:
        frameworks = list(self._taxa)
        return [
            {
                "target": {
                    "id": sanitized(one.identifier),
                    "index": self._taxa[one.framework].index(one),
                    "toolComponent": {
                        "name": sanitized(one.framework),
                        "index": frameworks.index(one.framework),
                    },
                },
                "kinds": ["relevant"],
            }
            for one in info.controls
        ]


def _unique(wanted: Iterable[str]) -> list[str]:
    """Number the ids that several policies would share."""
    chosen_before: list[str] = []
    for one in wanted:
        number, chosen = 1, one
        while chosen in chosen_before:
            number += 1
            chosen = f"{one}~{number}"
        chosen_before.append(chosen)
    return chosen_before


def _help(description: str, why: str, fix: str) -> dict[str, str]:
    parts = [("", description), ("Why: ", why), ("Fix: ", fix)]
    said = [(label, text) for label, text in parts if text]
    return {
        "text": "\n".join(sarif_text(label + text) for label, text in said),
        "markdown": "\n\n".join(label + sarif_text(prose(text).replace(DOLLAR, "$")) for label, text in said),
    }


def _severities(severity: str) -> dict[str, str]:
    if severity not in _SECURITY_SEVERITY:
        return {}
    return {"severity": severity, "security-severity": _SECURITY_SEVERITY[severity]}


SARIF_SCHEMA: Final = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
PROJECT_FILE: Final = "Pulumi.yaml"
_EXIT_CODES: Final = {"passed": 0, "blocked": 1, "could-not-run": 2}


def to_sarif(verdicts: VerdictFile, *, prefix: str = "") -> str:
    """Write a verdict file as SARIF.

    Args:
        verdicts: the verdicts.
        prefix: folder of the Pulumi project inside the repository, for forges that want paths from its root.
    """
    rules = Rules(verdicts)
    taxonomies = rules.taxonomies()
    run = {
        "tool": {
            "driver": {
                "name": "TAP Guardrails",
                "rules": rules.descriptors(),
                **({"supportedTaxonomies": rules.references()} if taxonomies else {}),
            },
            "extensions": _packs(verdicts),
        },
        **({"taxonomies": taxonomies} if taxonomies else {}),
        "automationDetails": {"id": _category(verdicts)},
        "invocations": [_invocation(verdicts)],
        "columnKind": "unicodeCodePoints",
        "results": [
            {**rules.reference(finding), **_result(verdicts, identity, finding, prefix)}
            for report in verdicts.stacks
            for identity, finding in identified(report)
        ],
        "properties": {"stacks": [_counts(report) for report in verdicts.stacks]},
    }
    document = {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def _packs(verdicts: VerdictFile) -> list[dict[str, object]]:
    packs = sorted({(pack.name, pack.version) for report in verdicts.stacks for pack in report.packs})
    return [
        {"name": sanitized(name), **({"version": sanitized(version)} if version else {})}
        for name, version in packs
    ]


def _category(verdicts: VerdictFile) -> str:
    """Name what a later run replaces: the stack's findings, or those of all the audited stacks."""
    if len(verdicts.stacks) == 1 and verdicts.kind != "audit":
        (report,) = verdicts.stacks
        return sanitized(f"tap-guardrails/{report.project}/{report.stack}/")
    return "tap-guardrails/audit/"


def _invocation(verdicts: VerdictFile) -> dict[str, object]:
    made = instant(verdicts.made)
    return {
        "executionSuccessful": verdicts.outcome != "could-not-run",
        "exitCode": _EXIT_CODES[verdicts.outcome],
        **({"endTimeUtc": made.strftime("%Y-%m-%dT%H:%M:%SZ")} if made else {}),
        "toolExecutionNotifications": [*_notifications(verdicts), *map(_unaudited, verdicts.unaudited)],
    }


def _notifications(verdicts: VerdictFile) -> Iterator[dict[str, object]]:
    for report in verdicts.stacks:
        for note in report.notes:
            text = f"{report.project} / {report.stack}: {note}"
            yield {"level": "warning", "message": {"text": sarif_text(text)}}


def _unaudited(one: Unaudited) -> dict[str, object]:
    lines = [one.what, *labelled(("Where", one.where), ("Why", one.why), ("Fix", one.fix)), *one.details]
    return {
        "level": "error",
        "message": {"text": sarif_text("\n".join([f"{one.name}: {lines[0]}", *lines[1:]]))},
    }


def _result(verdicts: VerdictFile, identity: Identity, finding: Finding, prefix: str) -> dict[str, object]:
    waiver = waiver_of(finding)
    open_question = finding.verdict == "undecided" and not finding.blocks
    return {
        "kind": "open" if open_question else "fail",
        "level": "error" if finding.blocks else "none" if open_question else "warning",
        "message": {"text": sarif_text(_message(finding))},
        "locations": [_location(verdicts, finding, prefix)],
        # Alerts are tracked by what they are about: several resources may share one line of the program.
        "partialFingerprints": {
            "tapGuardrails/v1": identity.fingerprint,
            "primaryLocationLineHash": f"{identity.fingerprint}:{identity.number}",
        },
        **({"suppressions": [_suppression(waiver)]} if waiver else {}),
        "properties": _properties(identity, finding),
    }


def _message(finding: Finding) -> str:
    lines = labelled(
        ("Resource", about(finding)),
        ("Property", finding.property_path),
        ("Found", finding.found),
        ("Required", finding.required),
        ("Why", finding.why),
        ("Fix", finding.fix),
        ("Program", source_of(finding)),
    )
    return "\n".join([finding.summary or "The policy reported a finding without any text.", *lines])


def _location(verdicts: VerdictFile, finding: Finding, prefix: str) -> dict[str, object]:
    physical = _physical(finding, prefix, of_program=verdicts.kind != "audit")
    logical = {
        "fullyQualifiedName": sanitized(finding.urn),
        "name": resource(finding),
        "kind": "resource",
    }
    return {**({"physicalLocation": physical} if physical else {}), "logicalLocations": [logical]}


def _physical(finding: Finding, prefix: str, *, of_program: bool) -> dict[str, object] | None:
    """Point at the line, or at the program as a whole: code scanning drops results without a location."""
    location = finding.location
    if location is None and not of_program:
        return None
    path = location.file if location is not None else PROJECT_FILE
    uri = file_reference(path)
    if prefix and not uri.startswith("file:"):
        uri = f"{file_reference(prefix).rstrip('/')}/{uri}"
    region = {"region": {"startLine": location.line}} if location is not None and location.line > 0 else {}
    return {"artifactLocation": {"uri": uri}, **region}


def _suppression(waiver: Waiver) -> dict[str, str]:
    lines = labelled(("Reason", waiver.reason), ("Owner", waiver.owner), ("Expires", waiver.expires))
    return {
        "kind": "external",
        "status": "accepted",
        "justification": sanitized("; ".join(lines) or "waived by the policy pack"),
    }


def _properties(identity: Identity, finding: Finding) -> dict[str, object]:
    values = {
        "project": identity.project,
        "stack": identity.stack,
        "verdict": finding.verdict,
        "enforcementLevel": finding.level,
        "severity": finding.severity,
        "resourceType": finding.type,
        "property": finding.property_path,
        "found": finding.found,
        "required": finding.required,
        **{f"more/{key}": value for key, value in finding.more.items()},
    }
    return {sanitized(key): sanitized(value) for key, value in values.items() if value}


def _counts(report: Report) -> dict[str, object]:
    return {
        "project": sanitized(report.project),
        "stack": sanitized(report.stack),
        "outcome": report.outcome,
        **({} if report.guardrails is None else {"guardrails": sanitized(str(report.guardrails))}),
        "resources": report.resources,
        "policies": [
            {
                "pack": sanitized(tally.pack),
                "policy": sanitized(tally.policy),
                "passed": tally.passed,
                "failed": tally.failed,
                "notApplicable": tally.not_applicable,
                "disabled": tally.disabled,
            }
            for tally in report.tallies
        ],
    }
