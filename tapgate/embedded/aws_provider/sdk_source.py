"""Reads the schema of a resource type or function out of pulumi_aws's own source, without importing it.

pulumi_aws is generated code of one strict form, and importing it costs more than the whole rest of a preview.
So the class of the type's arguments, the class of the type and the classes of nested objects are cut out of
their files and read as text: names from `pulumi.getter`, types from the getters' annotations, `required` from
the arguments without a default.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.util
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tapgate.embedded.aws_provider import sdk_text
from tapgate.embedded.aws_provider.marks import snake
from tapgate.embedded.aws_provider.published import conflicts_of, of_property
from tapgate.embedded.aws_provider.resource_schema import Property, ResourceSchema, Type
from tapgate.embedded.aws_provider.sdk_text import Direction, References, read_annotation
from tapgate.embedded.environment import sdk_version

_SECRETS = re.compile(r"additional_secret_outputs=\[(?P<names>[^\]]*)\]")
_REPLACES = re.compile(r"forces? (?:a )?(?:new|replacement|re-?creation)", re.IGNORECASE)
_DEFINED = re.compile(r"\n@pulumi\.type_token\(\"(?P<token>[^\"]+)\"\)\nclass \w+\((?P<base>pulumi\.\w+)")
# Until 2025 the class alone does not say its type, but what it hands to its base.
_DEFINED_BEFORE = re.compile(
    r"\nclass \w+\((?P<base>pulumi\.\w+)\):\n(?:(?!\nclass )[\s\S])*?"
    r"\n +super\(\w+, __self__\)\.__init__\(\n +'(?P<token>[^']+)',"
)
MANAGED = "Managed by Pulumi"
_MANAGED = re.compile(rf"^ +(\w+) = '{MANAGED}'$", re.MULTILINE)
_INVOKE = re.compile(r"pulumi\.runtime\.invoke(?:_single)?\('([^']+)'")


class UnknownTypeError(LookupError):
    """pulumi_aws has no such resource type or function."""


class SdkMissingError(RuntimeError):
    """pulumi_aws is not installed for the Python that runs the provider: nothing of it can be read."""


_chosen: list[Path] = []


def use(folder: Path) -> None:
    """Take another pulumi_aws than the installed one, for as long as the process lasts."""
    _chosen.append(folder)
    package_folder.cache_clear()
    package_version.cache_clear()


def chosen() -> bool:
    """Return whether another pulumi_aws than the installed one is read."""
    return bool(_chosen)


@functools.cache
def package_folder() -> Path:
    """Find pulumi_aws; raise a SdkMissingError where there is none."""
    if _chosen:
        return _chosen[-1]
    spec = importlib.util.find_spec("pulumi_aws")
    if spec is None or spec.origin is None:
        raise SdkMissingError(
            "The stand-in AWS provider finds no pulumi_aws. It knows the AWS types from that package. "
            "Fix: install it for the Python that runs the provider: pip install -r requirements/embedded.txt"
        )
    return Path(spec.origin).parent


@functools.cache
def package_version() -> str:
    """Return the version of pulumi_aws, e.g. `7.51.1`."""
    return sdk_version(package_folder())


def read_resource(token: str) -> ResourceSchema:
    """Read one resource type; raise an UnknownTypeError where pulumi_aws has none of the token."""
    path, member = _locate(token)
    resource = resource_body(sdk_text.source(path), token)
    arguments = arguments_body(path, member)
    if not resource or arguments is None:
        raise UnknownTypeError(token)
    objects = Objects(path.parent)
    inputs = inputs_of(arguments, objects, limits=True)
    return ResourceSchema(
        token=token,
        inputs=inputs,
        outputs=outputs_of(resource, objects),
        objects=objects.collect(),
        secret_outputs=secret_outputs(resource),
    )


def read_function(token: str) -> ResourceSchema:
    """Read one function, as `read_resource` does a type.

    Returns:
        A schema of which `inputs` are the function's arguments, and `outputs` its result; none when that is a
        single value.
    """
    if not is_function(token):
        raise UnknownTypeError(token)
    path, _ = _locate(token)
    objects = Objects(path.parent)
    inputs, outputs = function_properties(path, objects)
    return ResourceSchema(token, inputs, outputs, objects.collect())


@functools.cache
def read_provider() -> ResourceSchema:
    """Read what can be configured of the provider itself."""
    objects = Objects(package_folder())
    inputs = inputs_of(sdk_text.class_body(package_folder() / "provider.py", "ProviderArgs") or "", objects)
    return ResourceSchema("the AWS provider's configuration (aws:…)", inputs, {}, objects.collect())


def is_function(token: str) -> bool:
    """Return whether pulumi_aws has this function, e.g. `aws:index/getRegion:getRegion`."""
    try:
        path, _ = _locate(token)
    except UnknownTypeError:
        return False
    return path.is_file() and f"'{token}'" in sdk_text.source(path)


def _locate(token: str) -> tuple[Path, str]:
    """Find the file for a token of the form `aws:<module>/<file>:<Member>`, and the member's name."""
    match = re.fullmatch(r"aws:(\w+)/\w+:(\w+)", token)
    if match is not None:
        module, member = match.groups()
        for folder in ("",) if module == "index" else (module, f"{module}_"):
            if (package_folder() / folder).is_dir():
                return package_folder() / folder / f"{snake(member)}.py", member
    raise UnknownTypeError(token)


def member_files() -> Iterator[Path]:
    """Yield the files of pulumi_aws that define a resource type or a function, module by module."""
    for path in sorted(package_folder().rglob("*.py")):
        if not path.name.startswith("_") and path.name != "outputs.py":
            yield path


def defined(text: str) -> Iterator[tuple[str, str, int]]:
    """Yield the resource types that a file of an SDK defines: token, base class, start of the class."""
    for match in [*_DEFINED.finditer(text)] or _DEFINED_BEFORE.finditer(text):
        yield match["token"], match["base"], match.start() + 1


def resources_in(text: str) -> list[str]:
    """Return the tokens of the resource types that a file of pulumi_aws defines; its provider is none."""
    return [token for token, _, _ in defined(text) if token.startswith("aws:")]


def resource_body(text: str, token: str) -> str:
    """Return the text of a file from a resource type's class on; empty when the file does not define it."""
    return next((text[start:] for known, _, start in defined(text) if known == token), "")


def functions_in(text: str) -> list[str]:
    """Return the tokens of the functions that a file defines."""
    return _INVOKE.findall(text)


def arguments_body(path: Path, member: str) -> str | None:
    """Return the text of the class of a resource type's arguments; None when there is none."""
    # pulumi_aws calls it InitArgs where an input type has taken the other name.
    return sdk_text.class_body(path, f"{member}Args") or sdk_text.class_body(path, f"{member}InitArgs")


def secret_outputs(resource: str) -> tuple[str, ...]:
    """Return which outputs are secret, from the text of a resource's class."""
    secrets = _SECRETS.search(resource)
    return tuple(re.findall(r"\"(\w+)\"", secrets["names"])) if secrets else ()


def inputs_of(body: str, references: References, *, limits: bool = False) -> dict[str, Property]:
    """Read the properties of a class of arguments; with `limits` also what values they take."""
    required, managed = sdk_text.required_arguments(body), {*_MANAGED.findall(body)}
    inputs: dict[str, Property] = {}
    for getter in sdk_text.getters(body):
        type_, _ = read_annotation(getter.annotation, references, "inputs")
        inputs[getter.name] = Property(
            type_,
            getter.py in required,
            bool(_REPLACES.search(getter.doc)),
            of_property(getter.name, type_, getter.doc) if limits else None,
            conflicts_of(getter.doc) if limits else (),
            getter.py in managed,
        )
    return {
        name: dataclasses.replace(prop, conflicts=_siblings(prop.conflicts, inputs))
        if prop.conflicts
        else prop
        for name, prop in inputs.items()
    }


def _siblings(names: tuple[str, ...], known: Mapping[str, object]) -> tuple[str, ...]:
    """Find properties by Terraform's names: in snake case, and a list of blocks in the singular."""
    siblings: list[str] = []
    for name in names:
        head, *rest = name.split("_")
        camel = head + "".join(word.capitalize() for word in rest)
        siblings += [spelled for spelled in (camel, f"{camel}s", f"{camel[:-1]}ies") if spelled in known][:1]
    return tuple(siblings)


def outputs_of(body: str, references: References) -> dict[str, Property]:
    """Read the properties of a class of results."""
    outputs: dict[str, Property] = {}
    for getter in sdk_text.getters(body):
        type_, may_miss = read_annotation(getter.annotation, references, "outputs")
        outputs[getter.name] = Property(type_, not may_miss, bool(_REPLACES.search(getter.doc)))
    return outputs


def function_properties(
    path: Path, references: References
) -> tuple[dict[str, Property], dict[str, Property]]:
    """Read the arguments and the result of the function that a file defines."""
    signature = sdk_text.signature(path)
    if signature is None:
        return {}, {}
    inputs = {
        name: Property(
            read_annotation(annotation, references, "inputs")[0], not annotation.startswith("Optional[")
        )
        for name, annotation in signature.arguments.items()
    }
    return inputs, outputs_of(sdk_text.class_body(path, signature.result) or "", references)


@dataclass
class Objects:
    """Collects the nested objects of one resource, each read once, whoever refers to it.

    Attributes:
        folder: The module that refers to them.
        root: The package; pulumi_aws where it is None.
        home: The resource's own module, where that is another one.
    """

    folder: Path
    root: Path | None = None
    home: Path | None = None
    _wanted: dict[str, tuple[Path, str, Direction]] = field(
        default_factory=dict[str, tuple[Path, str, "Direction"]]
    )

    def refer(self, reference: str, direction: Direction) -> str:
        """Note that an object is wanted; gives the name that it has in the schema."""
        module, _, name = reference.rpartition(".")
        root, folder = self.root or package_folder(), self.folder
        if module not in {"", "outputs"}:
            folder = root.joinpath(*module.removesuffix(".outputs").lstrip("_").split("."))
        parts = () if folder == (self.home or self.folder) else folder.relative_to(root).parts
        key = f"{direction[0]}:{'.'.join((*parts, name))}"
        self._wanted.setdefault(key, (folder, name, direction))
        return key

    def enumeration(self, reference: str) -> Type:
        """Return a text that takes any value, for AWS adds some, and stands in as one that the SDK takes."""
        body = sdk_text.class_body(self.folder / "_enums.py", reference) or ""
        value = next(iter(sdk_text.ENUM_VALUE.findall(body)), "").strip('"')
        return Type("string", stand_in=value)

    def collect(self) -> dict[str, dict[str, Property]]:
        """Read what is wanted, and what that refers to in turn."""
        objects: dict[str, dict[str, Property]] = {}
        while pending := self._wanted.keys() - objects.keys():
            for key in sorted(pending):
                folder, name, direction = self._wanted[key]
                here = dataclasses.replace(self, folder=folder, home=self.home or self.folder)
                path = folder / ("_inputs.py" if direction == "inputs" else "outputs.py")
                body = sdk_text.class_body(path, name)
                if body is None:
                    objects[key] = {}
                elif direction == "inputs":
                    objects[key] = inputs_of(body, here, limits=True)
                else:
                    objects[key] = outputs_of(body, here)
        return objects
