"""The pack as configured: which policies run, at which level, with which settings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, cast

from tap_guardrails.model import ResourceRule, Rule, Settings, SettingsError, StackRule, Verdict
from tap_guardrails.model.rule import LEVELS, types_read
from tap_guardrails.model.settings import WAIVERS
from tap_guardrails.waivers import WAIVER_POLICY, Ledger, ProgramWaivers, in_policies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date

    from tap_guardrails.model import Level
    from tap_guardrails.waivers import Listed

EVERY_POLICY: Final = "all"
"""The name under which a level for every policy stands."""

LEVEL: Final = "enforcementLevel"
"""The key of a policy's level, beside its settings."""


class ConfigurationError(ValueError):
    """Policy configuration that names what does not exist or sets what does not fit; one line a mistake."""


class Configuration:
    """The enabled policies, and what the operator said of each."""

    def __init__(
        self, rules: Sequence[Rule], levels: Mapping[str, Level], settings: Mapping[str, Settings]
    ) -> None:
        """Sort the policies.

        Args:
            rules: Those of the pack.
            levels: The level of each, by name.
            settings: The settings of each, by name.
        """
        self._levels = levels
        self._settings = settings
        enabled = [rule for rule in rules if levels[rule.name] != "disabled"]
        self.resource_rules = [rule for rule in enabled if isinstance(rule, ResourceRule)]
        # The policy that checks waivers comes last: only then is it known which of them were needed.
        self.stack_rules = sorted(
            (rule for rule in enabled if isinstance(rule, StackRule)),
            key=lambda rule: rule.name == WAIVER_POLICY,
        )
        self._rules = {rule.name: rule for rule in rules}
        self.enabled = frozenset(rule.name for rule in enabled)
        self.types_read = types_read(enabled)
        self.remediates = "remediate" in levels.values()
        self._readers: dict[str, list[ResourceRule]] = defaultdict(list)
        for rule in self.resource_rules:
            for token in rule.types:
                self._readers[token].append(rule)

    def readers(self, resource_type: str) -> Sequence[ResourceRule]:
        """Return the resource rules that read a type."""
        return self._readers.get(resource_type, ())

    def settings(self, rule: Rule) -> Settings:
        """Return a policy's settings."""
        return self._settings[rule.name]

    def own_level(self, rule: Rule) -> Level:
        """Return a policy's level."""
        return self._levels[rule.name]

    def is_to_remediate(self, rule: Rule) -> bool:
        """Tell whether a policy is to remediate what it can."""
        return self._levels[rule.name] == "remediate"

    def ledger(self, of_stack: Iterable[Listed], today: Callable[[], date]) -> Ledger:
        """Open the book of waivers for a run.

        Args:
            of_stack: The waivers in the stack's own configuration.
            today: Tells the day.
        """
        lists = {name: settings.objects(WAIVERS.name) for name, settings in self._settings.items()}
        entries = (*in_policies(lists), *of_stack)
        own = self._settings.get(WAIVER_POLICY)
        if own is None:
            return Ledger(self._rules, self.enabled, entries, today=today)
        return Ledger(
            self._rules,
            self.enabled,
            entries,
            today=today,
            in_program=ProgramWaivers.of(own),
            longest=own.integer("maximumDays"),
        )

    def level(self, rule: Rule, verdict: Verdict) -> Level:
        """Return the level at which a finding is reported.

        A violation has the policy's level, where `remediate` counts as mandatory: what could be remediated
        was. So has what is undecided, unless `onUnknown` is `warn`. What is waived is shown, and does not
        block. A rule that failed stops the run at any level: what it would have said is unknown.
        """
        if verdict is Verdict.ERROR:
            return "mandatory"
        if verdict is Verdict.WAIVED:
            return "advisory"
        if verdict is Verdict.UNDECIDED and self.settings(rule).enum("onUnknown") == "warn":
            return "advisory"
        level = self._levels[rule.name]
        return "mandatory" if level == "remediate" else level


def configure(rules: Sequence[Rule], given: Mapping[str, object]) -> Configuration:
    """Make the configuration of what a file for `--policy-pack-config` says.

    Args:
        rules: Those of the pack.
        given: By policy name, or `all`: the level alone, or an object with level and settings.

    Raises:
        ConfigurationError: A policy, a level or a setting that does not exist, or a value that does not fit.
    """
    names = {rule.name for rule in rules}
    mistakes = [
        f"there is no policy `{name}`; there are {', '.join(sorted(names))}"
        for name in given
        if name not in names and name != EVERY_POLICY
    ]
    levels: dict[str, Level] = {}
    settings: dict[str, Settings] = {}
    for rule in rules:
        values = given.get(rule.name)
        own = dict(cast("Mapping[str, object]", values)) if isinstance(values, Mapping) else {}
        levels[rule.name] = rule.level
        for level in (
            level_in(given.get(EVERY_POLICY)),
            own.pop(LEVEL, None) if isinstance(values, Mapping) else values,
        ):
            if level is not None and level not in LEVELS:
                mistakes.append(f"policy `{rule.name}`: {level!r} is no level; there are {', '.join(LEVELS)}")
            elif level is not None:
                levels[rule.name] = level
        try:
            settings[rule.name] = Settings(rule.all_settings, own)
        except SettingsError as error:
            mistakes.append(f"policy `{rule.name}`: {error}")
    if mistakes:
        raise ConfigurationError("The policy configuration is not valid: " + "; ".join(mistakes) + ".")
    return Configuration(rules, levels, settings)


def level_in(value: object) -> object:
    """Return the level that stands for itself or in an object; None when there is none."""
    return cast("Mapping[str, object]", value).get(LEVEL) if isinstance(value, Mapping) else value
