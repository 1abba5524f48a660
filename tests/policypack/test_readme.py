"""What the pack's README shows works as it stands there."""

from __future__ import annotations

import json
import re
from typing import Any, cast

import yaml

from tap_guardrails.model import Settings, Waiver
from tap_guardrails.waivers import TAG_PREFIX, in_policies, in_stack
from tap_guardrails.waivers.terms import read_text
from tests.policypack.harness.cases import RULES
from tests.policypack.harness.pack import PACK_FOLDER

README = (PACK_FOLDER / "README.md").read_text()


def blocks(language: str) -> list[Any]:
    found = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert found
    return [
        json.loads(one) if language == "json" else yaml.safe_load(one)
        for one in found
        if "!unknown" not in one
    ]


def test_every_configuration_is_one() -> None:
    for body in blocks("json"):
        for name, value in cast("dict[str, Any]", body).items():
            given = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
            settings = dict(given)
            settings.pop("enforcementLevel", None)
            parsed = Settings(RULES[name].all_settings, settings)
            listed = list(in_policies({name: parsed.objects("waivers")}))
            assert all(one.pattern and isinstance(one.terms, Waiver) for one in listed)


def test_every_waiver_in_a_program_is_one() -> None:
    tagged, configured = blocks("yaml")[:2]
    ((key, text),) = cast("dict[str, str]", tagged["tags"]).items()
    assert key.removeprefix(TAG_PREFIX) in RULES
    assert isinstance(read_text(text), Waiver)
    entries = json.dumps(configured["config"]["tap-guardrails:waivers"], default=str)
    (entry,) = in_stack({"tap-guardrails:waivers": entries}, ())
    assert entry.policy in RULES
    assert entry.pattern
    assert isinstance(entry.terms, Waiver)


def test_every_file_that_is_linked_is_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (PACK_FOLDER / target).exists(), target


def test_every_policy_that_puts_things_right_is_listed() -> None:
    part = README.split("## Remediation")[1].split("\n## ")[0]
    listed = set(re.findall(r"^\| `([a-z0-9-]+)`", part, re.MULTILINE))
    assert listed == {name for name, rule in RULES.items() if getattr(rule, "remediation", None)}
