"""An operator's configuration as a floor under a team's: `python -m tap_guardrails.tightening FLOOR TEAM`.

A team's file may only tighten: raise a level, or make a setting stricter, in the way that each setting
declares. What is looser is refused.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from tap_guardrails.assembly import find_rules
from tap_guardrails.evaluation import EVERY_POLICY, LEVEL, ConfigurationError, configure, level_in

if TYPE_CHECKING:
    from tap_guardrails.evaluation import Configuration
    from tap_guardrails.model import Level, Rule

RANKS: Final = {"disabled": 0, "advisory": 1, "mandatory": 2, "remediate": 2}
"""How strict a level is; what `remediate` cannot remediate blocks."""


def tighten(floor: Mapping[str, object], team: Mapping[str, object]) -> dict[str, object]:
    """Merge a team's configuration over an operator's, each as a file for `--policy-pack-config` holds it.

    Returns:
        The configuration of every policy.

    Raises:
        ConfigurationError: One of them is none, or the team's is looser somewhere; all mistakes in one line.
    """
    rules = find_rules()
    operators, teams = checked(rules, floor, "operator"), checked(rules, team, "team")
    mistakes: list[str] = []
    of_all: dict[str, Level] = {}
    merged: dict[str, object] = {}
    for rule in rules:
        wanted = level_in(team.get(rule.name)) or level_in(team.get(EVERY_POLICY))
        level = operators.own_level(rule)
        if wanted is not None:
            if RANKS[str(wanted)] < RANKS[level] and level_in(team.get(rule.name)) is None:
                of_all[rule.name] = level
            elif RANKS[str(wanted)] < RANKS[level]:
                mistakes.append(looser(f"policy `{rule.name}`: `{LEVEL}`", wanted, level))
            level = teams.own_level(rule)
        settings, theirs = operators.settings(rule), teams.settings(rule)
        given = settings_in(team.get(rule.name))
        values = settings_in(floor.get(rule.name))
        for setting in rule.all_settings:
            if given.get(setting.name) is None:
                continue
            if not setting.is_as_strict(theirs[setting.name], settings[setting.name]):
                about = f"policy `{rule.name}`: `{setting.name}`"
                mistakes.append(looser(about, given[setting.name], settings[setting.name]))
            values[setting.name] = given[setting.name]
        merged[rule.name] = {LEVEL: level, **values}
    if of_all:
        name = max(of_all, key=lambda one: RANKS[of_all[one]])
        more = f" and {len(of_all) - 1} more" if len(of_all) > 1 else ""
        about = f"`{EVERY_POLICY}` (policy `{name}`{more}): `{LEVEL}`"
        mistakes.append(looser(about, level_in(team[EVERY_POLICY]), of_all[name]))
    if mistakes:
        raise ConfigurationError("The team's configuration is looser than the operator's", mistakes)
    return merged


def checked(rules: Sequence[Rule], given: Mapping[str, object], whose: str) -> Configuration:
    """Make a configuration, or raise a `ConfigurationError` that says whose it is."""
    try:
        return configure(rules, given)
    except ConfigurationError as error:
        raise ConfigurationError(f"The {whose}'s configuration is not valid", error.mistakes) from None


def settings_in(value: object) -> dict[str, object]:
    """Return the settings of a policy's configuration, without its level."""
    given = cast("Mapping[str, object]", value) if isinstance(value, Mapping) else dict[str, object]()
    return {name: setting for name, setting in given.items() if name != LEVEL}


def looser(about: str, stated: object, limit: object) -> str:
    """Say that something is looser than it may be, and who may change that."""
    ours, theirs = (json.dumps(value, ensure_ascii=False) for value in (stated, limit))
    return f"{about} {ours} is looser than {theirs}, which only the operator may change"


def main(arguments: Sequence[str]) -> int:
    """Print the merged configuration of two files."""
    if len(arguments) != 2:
        sys.stderr.write("usage: python -m tap_guardrails.tightening FLOOR TEAM\n")
        return 2
    try:
        floor, team = (
            cast("dict[str, object]", json.loads(Path(one).read_text(encoding="utf-8"))) for one in arguments
        )
        sys.stdout.write(json.dumps(tighten(floor, team), indent=2) + "\n")
    except ConfigurationError as error:
        sys.stderr.write("".join(f"{line}\n" for line in (error.what, *error.mistakes)))
        return 2
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
