"""The pack as configured: which policies run, at which level, with which settings."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, cast

from google.protobuf.json_format import MessageToDict
from pulumi.runtime.proto import analyzer_pb2 as proto
from pulumi_policy import EnforcementLevel

from tap_guardrails.model import ResourceRule, Settings, SettingsError, StackRule, Verdict
from tap_guardrails.model.rule import types_read
from tap_guardrails.model.settings import WAIVERS
from tap_guardrails.waivers import WAIVER_POLICY, Ledger, in_policies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date

    from tap_guardrails.assembly import Policy
    from tap_guardrails.waivers import Listed

LEVELS_ON_WIRE = {
    EnforcementLevel.ADVISORY: proto.ADVISORY,
    EnforcementLevel.MANDATORY: proto.MANDATORY,
    EnforcementLevel.REMEDIATE: proto.REMEDIATE,
    EnforcementLevel.DISABLED: proto.DISABLED,
}

EVERY_POLICY = "all"
"""A level for every policy; the engine has applied it to each of them, and passes it on all the same."""


class ConfigurationError(ValueError):
    """Policy configuration that names what does not exist or sets what does not fit; one line a mistake."""


class Configuration:
    """The enabled policies, and what the operator said of each."""

    def __init__(
        self,
        policies: Sequence[Policy],
        levels: Mapping[str, proto.EnforcementLevel.ValueType],
        settings: Mapping[str, Settings],
    ) -> None:
        """Sort the policies.

        Args:
            policies: Those of the pack.
            levels: The level of each, by name.
            settings: The settings of each, by name.
        """
        self._levels = levels
        self._settings = settings
        enabled = [policy for policy in policies if levels[policy.rule.name] != proto.DISABLED]
        self.resource_policies = [policy for policy in enabled if isinstance(policy.rule, ResourceRule)]
        # The policy that judges waivers comes last: only then is it known which of them were needed.
        self.stack_policies = sorted(
            (policy for policy in enabled if isinstance(policy.rule, StackRule)),
            key=lambda policy: policy.rule.name == WAIVER_POLICY,
        )
        self._rules = {policy.rule.name: policy.rule for policy in policies}
        self._enabled = frozenset(policy.rule.name for policy in enabled)
        self.types_read = types_read(policy.rule for policy in enabled)
        self.remediates = any(level == proto.REMEDIATE for level in levels.values())
        self._readers: dict[str, list[Policy]] = defaultdict(list)
        for policy in self.resource_policies:
            for token in policy.rule.types:
                self._readers[token].append(policy)

    def readers(self, resource_type: str) -> Sequence[Policy]:
        """Return the resource policies that read a type."""
        return self._readers.get(resource_type, ())

    def settings(self, policy: Policy) -> Settings:
        """Return a policy's settings."""
        return self._settings[policy.rule.name]

    def is_to_remediate(self, policy: Policy) -> bool:
        """Tell whether a policy is to put right what it can."""
        return self._levels[policy.rule.name] == proto.REMEDIATE

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
            return Ledger(self._rules, self._enabled, entries, today=today)
        return Ledger(
            self._rules,
            self._enabled,
            entries,
            today=today,
            in_program=own.boolean("programWaivers"),
            longest=own.integer("maximumDays"),
        )

    def level(self, policy: Policy, verdict: Verdict) -> proto.EnforcementLevel.ValueType:
        """Return the level at which a finding is reported.

        A violation has the policy's level, where `remediate` counts as mandatory: what could be put right
        was. So has what is undecided, unless `onUnknown` is `warn`. What is waived is shown, and does not
        block. A rule that failed stops the run at any level: nobody knows what it would have said.
        """
        if verdict is Verdict.ERROR:
            return proto.MANDATORY
        if verdict is Verdict.WAIVED:
            return proto.ADVISORY
        if verdict is Verdict.UNDECIDED and self.settings(policy).enum("onUnknown") == "warn":
            return proto.ADVISORY
        level = self._levels[policy.rule.name]
        return proto.MANDATORY if level == proto.REMEDIATE else level


def configure(policies: Sequence[Policy], given: Mapping[str, proto.PolicyConfig]) -> Configuration:
    """Make the configuration of what the engine hands over.

    Args:
        policies: Those of the pack.
        given: By policy name: the level and the settings.

    Raises:
        ConfigurationError: A policy or a setting that does not exist, or a value that does not fit.
    """
    names = {policy.rule.name for policy in policies}
    mistakes = [
        f"there is no policy `{name}`; there are {', '.join(sorted(names))}"
        for name in given
        if name not in names and name != EVERY_POLICY
    ]
    levels: dict[str, proto.EnforcementLevel.ValueType] = {}
    settings: dict[str, Settings] = {}
    for policy in policies:
        name, set_values = policy.rule.name, {}
        levels[name] = LEVELS_ON_WIRE[policy.level]
        if name in given:
            levels[name] = given[name].enforcementLevel
            set_values = cast("dict[str, object]", MessageToDict(given[name].properties))
        try:
            settings[name] = Settings(policy.rule.all_settings, set_values)
        except SettingsError as error:
            mistakes.append(f"policy `{name}`: {error}")
    if mistakes:
        raise ConfigurationError("The policy configuration is not valid: " + "; ".join(mistakes) + ".")
    return Configuration(policies, levels, settings)
