"""The policies as configured, evaluated over a stack, so that whatever happens there is a verdict."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, ParamSpec, cast

from tap_guardrails.aws.embedded import CARRIERS, with_embedded
from tap_guardrails.model import (
    Finding,
    Level,
    NotApplicable,
    Outcome,
    Resource,
    ResourceRule,
    Rule,
    Settings,
    SettingsError,
    Stack,
    StackRule,
    Verdict,
)
from tap_guardrails.model.rule import LEVELS, types_read
from tap_guardrails.model.settings import WAIVERS, nearest_first
from tap_guardrails.model.stack import SECRET_CONFIGURATION
from tap_guardrails.model.values import record
from tap_guardrails.waivers import WAIVER_POLICY, Ledger, Listed, in_policies, today_utc

if TYPE_CHECKING:
    from datetime import date

P = ParamSpec("P")

EVERY_POLICY: Final = "all"
"""The name under which a level for every policy stands."""

LEVEL: Final = "enforcementLevel"
"""The key of a policy's level, beside its settings."""


class ConfigurationError(ValueError):
    """Policy configuration that names what does not exist or sets what does not fit.

    Attributes:
        mistakes: What is wrong in it, one line each.
    """

    def __init__(self, what: str, mistakes: Sequence[str]) -> None:
        """Say what is wrong with which configuration."""
        super().__init__(f"{what}: {'; '.join(mistakes)}.")
        self.what = what
        self.mistakes = tuple(mistakes)


class Configuration:
    """The enabled policies, and what the operator said of each."""

    def __init__(
        self, rules: Sequence[Rule], levels: Mapping[str, Level], settings: Mapping[str, Settings]
    ) -> None:
        """Tell the policies that evaluate resources from those that evaluate the stack."""
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

    def ledger(self, of_stack: Iterable[Listed], today: Callable[[], date]) -> Ledger:
        """Open the book of waivers for a run."""
        lists = {name: settings.objects(WAIVERS.name) for name, settings in self._settings.items()}
        waivers = (*in_policies(lists), *of_stack)
        own = self._settings.get(WAIVER_POLICY)
        return Ledger(self._rules, self.enabled, waivers, today=today, settings=own)

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
        f"there is no policy `{name}`; there are {', '.join(nearest_first(name, names))}"
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
        raise ConfigurationError("The policy configuration is not valid", mistakes)
    return Configuration(rules, levels, settings)


def level_in(value: object) -> object:
    """Return the level that stands for itself or in an object; None when there is none."""
    return cast("Mapping[str, object]", value).get(LEVEL) if isinstance(value, Mapping) else value


@record
class Evaluation:
    """What a rule says of one resource.

    Attributes:
        reason: Why the rule does not apply; empty when it does.
    """

    findings: tuple[Finding, ...] = ()
    reason: str = ""


COMPLIANT: Final = Evaluation()


@record
class StackEvaluation:
    """What a rule says of a stack.

    Attributes:
        reason: Why the rule applies to nothing in the stack; empty when it does.
    """

    findings: tuple[tuple[Resource, Finding], ...]
    reason: str


@record
class Reported:
    """A finding as it is reported."""

    rule: Rule
    resource: Resource
    finding: Finding
    level: Level


@record
class Answer:
    """What all resource policies, or all stack policies, say, of a resource or of a stack.

    Attributes:
        not_applicable: By policy, why it does not apply.
    """

    findings: tuple[Reported, ...]
    not_applicable: Mapping[str, str]


class Run:
    """The policies as configured, over one stack: first each resource by its inputs, then the whole."""

    def __init__(
        self,
        configuration: Configuration,
        of_stack: Iterable[Listed] = (),
        today: Callable[[], date] = today_utc,
        secret_configuration: frozenset[str] = frozenset(),
    ) -> None:
        """Begin a run."""
        self._configuration = configuration
        self._secret_configuration = secret_configuration
        self.ledger = configuration.ledger(of_stack, today)
        self._analyzed: set[str] = set()
        self._by_type: dict[tuple[str, bool], Answer] = {}

    def analyze(self, resource: Resource) -> Answer:
        """Evaluate a resource, and what it carries inside, by the resource rules."""
        self._analyzed.add(resource.urn)
        if resource.type not in CARRIERS:
            return self._analyze_one(resource)
        answers = [self._analyze_one(one) for one in with_embedded([resource])]
        applicable = [
            name for name in answers[0].not_applicable if all(name in one.not_applicable for one in answers)
        ]
        return Answer(
            tuple(finding for answer in answers for finding in answer.findings),
            {name: answers[-1].not_applicable[name] for name in applicable},
        )

    def _analyze_one(self, resource: Resource) -> Answer:
        readers = self._configuration.readers(resource.type)
        elsewhere = self._said_of_type(resource)
        if not readers or not resource.is_a((resource.type,)):
            return elsewhere
        findings: list[Reported] = []
        reasons: dict[str, str] = {}
        for rule in readers:
            evaluation = evaluated(rule.check, resource, self._configuration.settings(rule))
            findings.extend(self._reported(rule, resource, evaluation.findings))
            if evaluation.reason:
                reasons[rule.name] = evaluation.reason
        return Answer(
            tuple(findings), {**elsewhere.not_applicable, **reasons} if reasons else elsewhere.not_applicable
        )

    def _said_of_type(self, resource: Resource) -> Answer:
        """Return what is said of any resource of a type by the policies that do not read it."""
        key = resource.type, resource.is_a((resource.type,))
        if key not in self._by_type:
            reasons = {
                rule.name: f"Applies to {rule.types_shown}."
                for rule in self._configuration.resource_rules
                if not resource.is_a(rule.types)
            }
            self._by_type[key] = Answer((), reasons)
        return self._by_type[key]

    def analyze_stack(self, resources: Iterable[Resource]) -> Answer:
        """Evaluate a stack by the stack rules: for each, each resource that it is about."""
        given: dict[Hashable, object] = {
            Ledger: self.ledger,
            SECRET_CONFIGURATION: self._secret_configuration,
        }
        every = tuple(resources)
        if any(one.type in CARRIERS for one in every):
            every = tuple(with_embedded(every))
        stack = Stack(every, given, self._configuration.types_read)
        findings: list[Reported] = []
        reasons: dict[str, str] = {}
        for rule in self._configuration.resource_rules:
            if rule.check_in_stack is not None:
                settings = self._configuration.settings(rule)
                for resource in stack.of(*rule.types):
                    evaluation = evaluated(rule.check_in_stack, resource, stack, settings)
                    findings.extend(self._reported(rule, resource, evaluation.findings))
        for rule in self._configuration.stack_rules:
            if rule.name == WAIVER_POLICY:
                self.ledger.close(self._analyzed)
            evaluation = evaluate_stack(rule, stack, self._configuration.settings(rule))
            for resource, finding in evaluation.findings:
                findings.extend(self._reported(rule, resource, [finding]))
            if evaluation.reason:
                reasons[rule.name] = evaluation.reason
        return Answer(tuple(findings), reasons)

    def _reported(self, rule: Rule, resource: Resource, findings: Sequence[Finding]) -> Iterable[Reported]:
        for finding in self.ledger.applied(rule.name, resource, findings):
            yield Reported(rule, resource, finding, self._configuration.level(rule, finding.verdict))


def evaluate_stack(rule: StackRule, stack: Stack, settings: Settings) -> StackEvaluation:
    """Evaluate each resource of a stack that a rule is about."""
    evaluations = [
        (resource, evaluated(rule.check, resource, stack, settings)) for resource in stack.of(*rule.types)
    ]
    reasons = [evaluation.reason for _, evaluation in evaluations]
    reason = (reasons[-1] if reasons else f"The stack has no {rule.types_shown}.") if all(reasons) else ""
    return StackEvaluation(
        tuple((resource, finding) for resource, evaluation in evaluations for finding in evaluation.findings),
        reason,
    )


def evaluated(check: Callable[P, Iterable[Outcome]], *given: P.args, **named: P.kwargs) -> Evaluation:
    """Collect what a check yields; a check that raises has decided nothing, so nothing passes."""
    try:
        outcomes = tuple(check(*given, **named))
    except Exception as error:  # noqa: BLE001 - whatever a rule raises, the resource must not pass
        return Evaluation((failure(error),))
    if not outcomes:
        return COMPLIANT
    findings = tuple(outcome for outcome in outcomes if isinstance(outcome, Finding))
    reasons = [outcome.reason for outcome in outcomes if isinstance(outcome, NotApplicable)]
    return Evaluation(findings, "" if findings or not reasons else reasons[0])


def failure(error: Exception) -> Finding:
    """Make a finding of an exception; its text may quote a secret, so only its type is told."""
    return Finding(
        Verdict.ERROR,
        f"The policy failed with {type(error).__name__} and could not evaluate this resource.",
        "(unknown)",
        "nothing that can be shown",
        "a policy that runs to its end",
        "Report this as a bug of the policy pack, with the resource's declaration; to go on meanwhile, "
        "disable this policy in the policy configuration.",
    )
