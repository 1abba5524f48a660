"""SARIF 2.1.0, for code scanning and editors.

Specification: https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/sarif-v2.1.0-errata01-os-complete.html.
All stacks are in one run, since code scanning takes few runs in a file.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from tapgate.plain import plain
from tapgate.reports.identity import Identity, identified
from tapgate.reports.links import file_reference
from tapgate.reports.sarif_rules import Rules, sarif_text
from tapgate.reports.waivers import Waiver, waiver_of
from tapgate.reports.wording import instant, place, resource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapgate.findings import Finding, Report
    from tapgate.reports.dossier import Dossier, Unaudited

SARIF_SCHEMA: Final = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
PROJECT_FILE: Final = "Pulumi.yaml"
_EXIT_CODES: Final = {"passed": 0, "blocked": 1, "could-not-run": 2}


def to_sarif(dossier: Dossier, *, prefix: str = "") -> str:
    """Write a dossier as SARIF.

    Args:
        dossier: the dossier.
        prefix: folder of the Pulumi project inside the repository, for forges that want paths from its root.
    """
    rules = Rules(dossier)
    taxonomies = rules.taxonomies()
    run = {
        "tool": {
            "driver": {
                "name": "TAP Guardrails",
                "rules": rules.descriptors(),
                **({"supportedTaxonomies": rules.references()} if taxonomies else {}),
            },
            "extensions": _packs(dossier),
        },
        **({"taxonomies": taxonomies} if taxonomies else {}),
        "automationDetails": {"id": _category(dossier)},
        "invocations": [_invocation(dossier)],
        "columnKind": "unicodeCodePoints",
        "results": [
            {**rules.reference(finding), **_result(dossier, identity, finding, prefix)}
            for report in dossier.stacks
            for identity, finding in identified(report)
        ],
        "properties": {"stacks": [_counts(report) for report in dossier.stacks]},
    }
    document = {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def _packs(dossier: Dossier) -> list[dict[str, object]]:
    packs = sorted({(pack.name, pack.version) for report in dossier.stacks for pack in report.packs})
    return [
        {"name": plain(name), **({"version": plain(version)} if version else {})} for name, version in packs
    ]


def _category(dossier: Dossier) -> str:
    """Name what a later run replaces: the stack's findings, or those of all the audited stacks."""
    if len(dossier.stacks) == 1 and dossier.kind != "audit":
        (report,) = dossier.stacks
        return plain(f"tap-guardrails/{report.project}/{report.stack}/")
    return "tap-guardrails/audit/"


def _invocation(dossier: Dossier) -> dict[str, object]:
    made = instant(dossier.made)
    return {
        "executionSuccessful": dossier.outcome != "could-not-run",
        "exitCode": _EXIT_CODES[dossier.outcome],
        **({"endTimeUtc": made.strftime("%Y-%m-%dT%H:%M:%SZ")} if made else {}),
        "toolExecutionNotifications": [*_notes(dossier), *map(_unaudited, dossier.unaudited)],
    }


def _notes(dossier: Dossier) -> Iterator[dict[str, object]]:
    for report in dossier.stacks:
        for note in report.notes:
            words = f"{report.project} / {report.stack}: {note}"
            yield {"level": "warning", "message": {"text": sarif_text(words)}}


def _unaudited(one: Unaudited) -> dict[str, object]:
    words = [one.what, *_labelled(("Where", one.where), ("Why", one.why), ("Fix", one.fix)), *one.details]
    return {
        "level": "error",
        "message": {"text": sarif_text("\n".join([f"{one.name}: {words[0]}", *words[1:]]))},
    }


def _result(dossier: Dossier, identity: Identity, finding: Finding, prefix: str) -> dict[str, object]:
    waiver = waiver_of(finding)
    open_question = finding.verdict == "undecided" and not finding.blocks
    return {
        "kind": "open" if open_question else "fail",
        "level": "error" if finding.blocks else "none" if open_question else "warning",
        "message": {"text": sarif_text(_message(finding))},
        "locations": [_location(dossier, finding, prefix)],
        # Alerts are tracked by what they are about: several resources may share one line of the program.
        "partialFingerprints": {
            "tapGuardrails/v1": identity.fingerprint,
            "primaryLocationLineHash": f"{identity.fingerprint}:{identity.number}",
        },
        **({"suppressions": [_suppression(waiver)]} if waiver else {}),
        "properties": _properties(identity, finding),
    }


def _message(finding: Finding) -> str:
    about = resource(finding) + (f" ({finding.type})" if finding.type and finding.name.strip() else "")
    return "\n".join(
        [
            finding.summary or "The policy reported a finding without any text.",
            *_labelled(
                ("Resource", about),
                ("Property", finding.property_path),
                ("Found", finding.found),
                ("Required", finding.required),
                ("Why", finding.why),
                ("Fix", finding.fix),
                ("Program", place(finding)),
            ),
        ]
    )


def _labelled(*pairs: tuple[str, str]) -> list[str]:
    return [f"{label}: {value}" for label, value in pairs if value]


def _location(dossier: Dossier, finding: Finding, prefix: str) -> dict[str, object]:
    physical = _physical(finding, prefix, of_program=dossier.kind != "audit")
    logical = {
        "fullyQualifiedName": plain(finding.urn),
        "name": resource(finding),
        "kind": "resource",
    }
    return {**({"physicalLocation": physical} if physical else {}), "logicalLocations": [logical]}


def _physical(finding: Finding, prefix: str, *, of_program: bool) -> dict[str, object] | None:
    """Point at the line, or at the program as a whole: code scanning drops results without a place."""
    place = finding.location
    if place is None and not of_program:
        return None
    path = place.file if place is not None else PROJECT_FILE
    uri = file_reference(path)
    if prefix and not uri.startswith("file:"):
        uri = f"{file_reference(prefix).rstrip('/')}/{uri}"
    region = {"region": {"startLine": place.line}} if place is not None and place.line > 0 else {}
    return {"artifactLocation": {"uri": uri}, **region}


def _suppression(waiver: Waiver) -> dict[str, str]:
    words = _labelled(("Reason", waiver.reason), ("Owner", waiver.owner), ("Expires", waiver.expires))
    return {
        "kind": "external",
        "status": "accepted",
        "justification": plain("; ".join(words) or "waived by the policy pack"),
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
        **{f"more/{key}": value for key, value in finding.more},
    }
    return {plain(key): plain(value) for key, value in values.items() if value}


def _counts(report: Report) -> dict[str, object]:
    return {
        "project": plain(report.project),
        "stack": plain(report.stack),
        "outcome": report.outcome,
        "resources": report.resources,
        "policies": [
            {
                "pack": plain(tally.pack),
                "policy": plain(tally.policy),
                "passed": tally.passed,
                "failed": tally.failed,
                "notApplicable": tally.not_applicable,
                "disabled": tally.disabled,
            }
            for tally in report.tallies
        ],
    }
