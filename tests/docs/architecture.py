"""Draws the stack in docs/architecture.md: `python -m tapgate exec -- python -m tests.docs.architecture`.

The drawing is made of what the engine plans for the program: a box a resource, an arrow to each resource
that its properties take something from. What only completes another (a bucket's versioning, a role's policy)
is written into that one's box, and so is the key that encrypts it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.stack.engine import ROOT, copy_project, preview

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tests.stack.engine import Preview

PAGE: Final = ROOT / "docs" / "architecture.md"
PLACE: Final = re.compile(
    r"(?<=<!-- drawn by tests/docs/architecture.py -->\n).*?(?=<!-- end -->)", re.DOTALL
)
TITLES: Final = {
    "cloudwatch/logGroup": "CloudWatch logs",
    "cloudwatch/metricAlarm": "CloudWatch alarms",
    "dynamodb": "DynamoDB",
    "iam": "IAM",
    "kms": "KMS",
    "lambda": "Lambda",
    "s3": "S3",
    "sns": "SNS",
    "sqs": "SQS",
}
KEY: Final = "aws:kms/key:Key"
CROWD: Final = 4


@dataclass
class Box:
    """A resource of the drawing.

    Attributes:
        name: its logical name.
        type: its type token.
        uses: names of the resources that it takes something from, each with the properties that do.
        with_: what completes it.
    """

    name: str
    type: str
    uses: dict[str, list[str]]
    with_: list[str] = field(default_factory=list[str])

    @property
    def service(self) -> str:
        """The service that it belongs to, as types name it."""
        return self.type.split(":")[1].split("/")[0]

    @property
    def group(self) -> str:
        """What it is drawn together with: its service, or in a service of many parts its type."""
        module = self.type.split(":")[1]
        return module if module in TITLES else self.service

    @property
    def kind(self) -> str:
        """What it is, as types name it."""
        return self.type.split(":")[-1]


def boxes(steps: Iterable[Mapping[str, Any]]) -> dict[str, Box]:
    """Read the resources out of the engine's preview document; components and providers are none."""
    found: dict[str, Box] = {}
    for step in steps:
        state: dict[str, Any] = step.get("newState") or {}
        if not state.get("custom") or state["type"].startswith("pulumi:"):
            continue
        uses: defaultdict[str, list[str]] = defaultdict(list)
        taken: dict[str, list[str]] = state.get("propertyDependencies") or {}
        for key, urns in sorted(taken.items()):
            for urn in urns:
                uses[urn.split("::")[-1]].append(key)
        box = Box(state["urn"].split("::")[-1], state["type"], dict(uses))
        found[box.name] = box
    return dict(sorted(found.items()))


def folded(found: Mapping[str, Box]) -> dict[str, Box]:
    """Write what completes another resource into that one."""
    kept = dict(found)
    for box in found.values():
        owner = owner_of(box, found)
        if owner is None:
            continue
        del kept[box.name]
        owner.with_.append(words(box.kind.removeprefix(owner.kind)))
        for used, keys in box.uses.items():
            if used != owner.name:
                owner.uses.setdefault(used, []).extend(keys)
    return kept


def owner_of(box: Box, found: Mapping[str, Box]) -> Box | None:
    """Return the resource of its service that this one completes: by its type's name, or the only one."""
    near = [found[name] for name in box.uses if name in found and found[name].service == box.service]
    named = [one for one in near if box.kind.startswith(one.kind) and box.kind != one.kind]
    if named:
        return named[0]
    return near[0] if len(near) == len(box.uses) == 1 else None


def words(kind: str) -> str:
    """Write `PublicAccessBlock` as `public access block`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind).lower()


def mermaid(steps: Iterable[Mapping[str, Any]]) -> str:
    """Return the drawing."""
    return "".join(f"{line}\n" for line in lines(folded(boxes(steps))))


def lines(kept: Mapping[str, Box]) -> Iterator[str]:
    """Yield the drawing's lines: the boxes by group, then the arrows."""
    identity = {name: f"r{number}" for number, name in enumerate(kept)}
    groups: defaultdict[str, list[Box]] = defaultdict(list)
    for box in kept.values():
        groups[box.group].append(box)
    yield "flowchart LR"
    for group, members in sorted(groups.items()):
        yield f'  subgraph {group.replace("/", "_")}["{TITLES[group]}"]'
        for box in members:
            small = [
                *sorted(set(box.with_)),
                *(f"key: {used}" for used in box.uses if kept[used].type == KEY),
            ]
            more = f"<br/><small>{', '.join(small)}</small>" if small else ""
            yield f'    {identity[box.name]}["{box.name}<br/>{words(box.kind)}{more}"]'
        yield "  end"
    for group, members in sorted(groups.items()):
        together = common(members)
        for used in sorted(together):
            yield f"  {group.replace('/', '_')} --> {identity[used]}"
        for box in members:
            for used in sorted(set(box.uses) - together):
                if kept[used].type != KEY:
                    yield f"  {identity[box.name]} --> {identity[used]}"


def common(members: Sequence[Box]) -> set[str]:
    """Return what all members of a group use, if they are so many that one arrow for all is clearer."""
    if len(members) < CROWD:
        return set()
    return {used for used in members[0].uses if all(used in box.uses for box in members)}


def planned(result: Preview) -> list[dict[str, Any]]:
    """Return the steps of a preview that was made with `--json`."""
    document, _ = json.JSONDecoder().raw_decode(result.output)
    return document["steps"]


def page(drawing: str) -> str:
    """Return the page with the drawing in its place."""
    text, places = PLACE.subn(lambda _: f"```mermaid\n{drawing}```\n", PAGE.read_text(encoding="utf-8"))
    assert places == 1, f"{PAGE.name} has to have one place for the drawing"
    return text


def main() -> None:
    """Draw it again."""
    with tempfile.TemporaryDirectory() as scratch:
        project = copy_project(Path(scratch))
        backend = Path(scratch) / "state"
        backend.mkdir()
        environment = {**os.environ, "PULUMI_BACKEND_URL": backend.as_uri()}
        command = ["pulumi", "stack", "init", "dev", "--non-interactive"]
        subprocess.run(command, cwd=project, env=environment, check=True)
        PAGE.write_text(page(mermaid(planned(preview(project, environment, "--json")))), encoding="utf-8")


if __name__ == "__main__":
    main()
