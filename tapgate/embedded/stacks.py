"""Stacks of the embedded backend, which are files, and the copies of stack files that it can use.

For a stack in a folder backend the engine writes the passphrase provider's salt into the stack's file,
already in a preview, and it opens every secret of the file first. So the engine is given a copy: with the
stand-in salt, without what leads to the team's own keys or to Pulumi Cloud, and with stand-ins for secrets.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple, cast
from urllib.parse import unquote, urlsplit

import yaml

from tapgate.embedded.aws_provider.marks import STAND_IN_SECRET, marked_text
from tapgate.embedded.environment import (
    EXISTING,
    MARK,
    PASSPHRASE,
    applied,
    is_stand_in_folder,
    rehearsal_changes,
)
from tapgate.embedded.packages import LANGUAGE, shims
from tapgate.embedded.paths import SCHEMAS, cache_root, checkout_folder, make_folder, write_atomically
from tapgate.embedded.program_text import config_forms, language, mapping, read_yaml, stand_ins

_ROOT: Final = "pulumi:pulumi:Stack"
SALT: Final = "v1:YckHv4jzYho=:v1:vG5ZCc+2uVe3TcUM:f5sywG81yJaJXuzbV28/HUz5PTLgCw=="
"""The passphrase provider's salt for the stand-in passphrase; the same in every embedded stack."""
SECRET: Final = STAND_IN_SECRET
SECRET_URL: Final = "https://tapgate-stand-in-secret.invalid/"  # noqa: S105 - says that it is none

SECRET_KEY: Final = "an RSA key in PEM, and under it the stand-in secret"  # noqa: S105 - its name alone
"""Names a private key of 1,024 bits that opens nothing; what it signs no one trusts."""
# Each value as the passphrase provider encrypts it with the stand-in passphrase and SALT.
ENCRYPTED: Final = cast("dict[str, str]", json.loads(Path(__file__).with_name("encrypted.json").read_bytes()))
_OF_TYPE: Final = {
    **dict.fromkeys(("integer", "number"), "1"),
    "boolean": "true",
    "object": "{}",
    "url": SECRET_URL,
    "key": SECRET_KEY,
}
_BY_NAME: Final = {
    "url": re.compile(r"(?:url|uri|endpoint|webhook|dsn)$", re.IGNORECASE),
    "key": re.compile(r"(?:(?:private|ssh|rsa|tls)[_-]?key|pem)$", re.IGNORECASE),
}
# What takes `encryptionsalt` for the passphrase provider alone: an empty value is none to the engine.
_OTHER_PROVIDER: Final = ("secretsprovider", "encryptedkey")
_ENVIRONMENTS: Final = "environments of Pulumi Cloud are left out: their values do not reach the program"
_STRING: Final = "tag:yaml.org,2002:str"


class StackFile(NamedTuple):
    """The text that the engine is given, and what in it is not the team's."""

    text: str
    notes: tuple[str, ...] = ()


def embedded(text: str, project: str = "", forms: Mapping[str, str] | None = None) -> StackFile:
    """Return a stack file as the embedded backend can use it.

    Args:
        text: The file, whose YAML can be read.
        project: The project file, whose `config` block may declare the types of values.
        forms: What form the program needs of values whose type is not declared, by key.
    """
    top = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(top, yaml.MappingNode) or not top.value:
        return StackFile(f"encryptionsalt: {SALT}\n")
    edits: dict[tuple[int, int], str] = {}
    notes: list[str] = []
    salted = False
    for key, value in _pairs(top):
        if key == "encryptionsalt":
            _replace(edits, value, SALT)
            salted = True
        elif key in _OTHER_PROVIDER:
            _replace(edits, value, '""')
        elif key == "environment":
            _replace(edits, value, " []")
            notes.append(_ENVIRONMENTS)
        elif key == "config":
            names = list(_secrets(value, _body(project), forms or {}, edits))
            if names:
                notes.append(f"secrets in the stack's config stand in: {', '.join(dict.fromkeys(names))}")
    for (start, end), new in sorted(edits.items(), reverse=True):
        # A block ends where the next thing begins: the line's end is not a part of what is replaced.
        rest = text[start:end]
        text = f"{text[:start]}{new}{rest[len(rest.rstrip()) :]}{text[end:]}"
    if not salted:
        text = _with_first(text, top, [f"encryptionsalt: {SALT}"])
    return StackFile(text, tuple(notes))


def adapted(file: Path, project_file: Path) -> StackFile:
    """Return a stack's file as the embedded backend can use it, with what the program requires besides."""
    project = project_file.read_text(encoding="utf-8") if project_file.is_file() else ""
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    main = project_file.parent / str(_body(project).get("main") or "")
    forms = functools.cache(lambda: config_forms(main if main.is_dir() else main.parent))
    return _completed(
        embedded(text, project, forms() if "secure:" in text else {}), file, project_file, forms
    )


def _completed(
    prepared: StackFile, file: Path, project_file: Path, forms: Callable[[], Mapping[str, str]]
) -> StackFile:
    """Return a stack file that has, in place of environments, what the answers file says, and stand-ins."""
    top = cast("yaml.MappingNode", yaml.compose(prepared.text, Loader=yaml.SafeLoader))
    config = next((value for key, value in _pairs(top) if key == "config"), None)
    there = {key for key, _ in _pairs(config)} if config is not None else set[str]()
    name = str(read_yaml(project_file).get("name"))
    environments = _ENVIRONMENTS in prepared.notes
    answered: dict[str, object] = {}
    if environments:
        from tapgate.embedded.answers import given  # noqa: PLC0415 - few stacks have environments

        answered = {
            key if ":" in key else f"{name}:{key}": value
            for key, value in given().file.environment.pulumiConfig.items()
        }
    required = stand_ins(project_file, ENCRYPTED[SECRET])
    for key in [key for key, value in required.items() if value == {"secure": ENCRYPTED[SECRET]}]:
        form = _form(key, key.removeprefix(f"{name}:"), forms())
        required[key] = {"secure": ENCRYPTED[_OF_TYPE.get(form, SECRET)]}
    # A project's own keys may be written without its name.
    there |= {f"{name}:{key}" for key in there if ":" not in key}
    values = {key: value for key, value in {**required, **answered}.items() if key not in there}
    notes = [one for one in prepared.notes if one != _ENVIRONMENTS]
    if environments:
        said = f"of environments there is what the answers file says: {', '.join(answered)}"
        notes.append(said if answered else _ENVIRONMENTS)
    stood_in = ", ".join(key for key in values if key not in answered)
    if stood_in and environments:
        notes.append(f"what they would give of the config that is required stands in: {stood_in}")
    elif stood_in:
        why = (
            "lacks config that the program requires, which"
            if file.is_file()
            else ("is not there, so config that the program requires")
        )
        notes.append(f"{file.name} {why} stands in: {stood_in}")
    return StackFile(_with_config(prepared.text, top, config, values), tuple(notes))


def _with_config(
    text: str, top: yaml.MappingNode, config: yaml.Node | None, values: Mapping[str, object]
) -> str:
    given = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in values.items()]
    if not given:
        return text
    if isinstance(config, yaml.MappingNode) and config.value:
        return _with_first(text, config, given)
    flow = f"{{{', '.join(given)}}}"
    if config is None:
        return _with_first(text, top, [f"config: {flow}"])
    return f"{text[: config.start_mark.index]} {flow}{text[config.end_mark.index :]}"


def _with_first(text: str, block: yaml.MappingNode, lines: Sequence[str]) -> str:
    """Return a text with lines put first into a mapping in it."""
    start = block.start_mark.index
    if block.flow_style:
        return f"{text[: start + 1]}{', '.join(lines)}, {text[start + 1 :]}"
    block_text = f"\n{' ' * block.start_mark.column}".join([*lines, ""])
    return f"{text[:start]}{block_text}{text[start:]}"


def _pairs(parent: yaml.Node) -> Iterator[tuple[str, yaml.Node]]:
    if isinstance(parent, yaml.MappingNode):
        for key, value in parent.value:
            yield str(key.value), value


def _secrets(
    config: yaml.Node,
    project: Mapping[str, object],
    forms: Mapping[str, str],
    edits: dict[tuple[int, int], str],
) -> Iterator[str]:
    """Replace each secret, wherever it is nested, and yield the key of the config that has it."""
    namespace, declared = str(project.get("name")), mapping(project.get("config"))
    for key, value in _pairs(config):
        short = key.removeprefix(f"{namespace}:")
        declared_type = declared.get(short, declared.get(f"{namespace}:{short}"))
        form = _form(key, short, forms)
        for secret, of in _within(value, declared_type or form):
            of_text = form if of == "string" and form in {"object", "url", "key"} else of
            _replace(edits, secret, ENCRYPTED[_OF_TYPE.get(of_text, SECRET)])
            yield key


def _form(key: str, short: str, forms: Mapping[str, str]) -> str:
    by_name = (form for form, names in _BY_NAME.items() if names.search(short))
    return forms.get(short) or forms.get(key) or next(by_name, "")


@functools.lru_cache(maxsize=1)
def _body(project: str) -> Mapping[str, object]:
    """Read a project file; keys and values are texts, so that one called `on` is not taken for a boolean."""
    return mapping(cast("object", yaml.load(project, Loader=yaml.BaseLoader)))  # noqa: S506 - makes only texts


def _within(given: yaml.Node, declared_type: object) -> Iterator[tuple[yaml.Node, str]]:
    """Yield the ciphertext of each secret, and the type that the project declares of it."""
    types = mapping(declared_type) or {"type": declared_type}
    if isinstance(given, yaml.SequenceNode):
        for item in given.value:
            yield from _within(item, types.get("items"))
        return
    items = list(_pairs(given))
    if len(items) == 1 and items[0][0] == "secure" and items[0][1].tag == _STRING:
        yield items[0][1], str(types.get("type") or "string")
        return
    for _, value in items:
        yield from _within(value, None)


def _replace(edits: dict[tuple[int, int], str], replaced: yaml.Node, new: str) -> None:
    edits[replaced.start_mark.index, replaced.end_mark.index] = new


def main(program: str, root: Path, arguments: Sequence[str]) -> None:
    """Become the Pulumi CLI, working on a stack of the checkout with a copy of the stack's file.

    Args:
        program: The CLI.
        root: The checkout, in whose folder the CLI was started.
        arguments: Its arguments; the first one is an operation on a stack.
    """
    stack = _stack(root, arguments)
    copy = ["--config-file", str(_copy(root, stack))] if stack else []
    os.execv(program, [program, arguments[0], *copy, *arguments[1:]])  # noqa: S606 - no shell is wanted


def _copy(root: Path, stack: str) -> Path:
    name = f"Pulumi.{stack.rsplit('/', 1)[-1]}.yaml"
    source, copy = root / name, checkout_folder(root) / "stack-files" / name
    try:
        text = adapted(source, root / "Pulumi.yaml").text
    except yaml.YAMLError:
        text = source.read_text(encoding="utf-8")  # The engine says what is wrong with it.
    write_atomically(copy, text)
    return copy


def _stack(root: Path, arguments: Sequence[str]) -> str:
    """Return the stack that a command line is about; empty when that is for the CLI to say."""
    for index, word in enumerate(arguments):
        if word in {"--stack", "-s"}:
            return "".join(arguments[index + 1 : index + 2])
        if word.startswith("--stack="):
            return word.partition("=")[2]
    return os.environ.get("PULUMI_STACK") or _selected(root)


def _selected(root: Path) -> str:
    """Return the stack that `pulumi stack select` chose: settingsPath in pkg/workspace of pulumi."""
    project = root / "Pulumi.yaml"
    digest = hashlib.sha1(os.fsencode(project), usedforsecurity=False).hexdigest()
    folder = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi") / "workspaces"
    for path in folder.glob(f"*-{digest}-workspace.json"):
        try:
            settings = cast("dict[str, object]", json.loads(path.read_text(encoding="utf-8")))
            stacks = settings.get("stacks")
            chosen = list(cast("dict[str, str]", stacks).values()) if isinstance(stacks, dict) else []
            return str((chosen or [settings.get("stack") or ""])[-1])
        except (OSError, ValueError, AttributeError):
            continue
    return ""


_VERSION: Final = "version: 1\n"
"""What the engine writes into a folder backend that is new to it."""


def begin_backend(url: str) -> None:
    """Have a folder backend begun, as the engine begins it, before a run that may not write to it."""
    folder = Path(unquote(urlsplit(url).path))
    if folder.is_dir() and not (folder / ".pulumi").exists():
        write_atomically(folder / ".pulumi" / "meta.yaml", _VERSION)


class EmbeddedStacks:
    """The stacks of one folder backend that has the stand-in passphrase."""

    def __init__(self, folder: Path) -> None:
        """Take the folder, which need not exist."""
        self._folder = folder / ".pulumi"

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> EmbeddedStacks | None:
        """Return the backend of a prepared environment; None when it is another one than was prepared."""
        url = urlsplit(variables.get("PULUMI_BACKEND_URL", ""))
        prepared = variables.get(MARK) == "embedded" and url.scheme == "file"
        if not prepared or variables.get("PULUMI_CONFIG_PASSPHRASE") != PASSPHRASE:
            return None
        return cls(Path(unquote(url.path)))

    def has(self, project: str, name: str) -> bool:
        """Say whether the stack is there."""
        return self.path(project, name).exists()

    def create(self, project: str, name: str, outputs: Mapping[str, object] | None = None) -> bool:
        """Create the stack, empty but for its outputs; False when it is there already."""
        if not (self._folder / "meta.yaml").exists():
            write_atomically(self._folder / "meta.yaml", _VERSION)
        path = self.path(project, name)
        if path.exists():
            return False
        write_atomically(path, _empty_stack(project, path.stem, outputs or {}))
        return True

    def remove(self, project: str, name: str) -> None:
        """Remove the stack, unless it has resources."""
        path = self.path(project, name)
        try:
            state = cast("dict[str, dict[str, dict[str, object]]]", json.loads(path.read_text("utf-8")))
            if state["checkpoint"]["latest"].get("resources"):
                return
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return
        for one in (path, path.with_name(f"{path.name}.bak")):
            one.unlink(missing_ok=True)

    def names(self, project: str) -> Sequence[str]:
        """Return the names of a project's stacks."""
        return [path.stem for path in (self._folder / "stacks" / project).glob("*.json")]

    def moved_into(self, folder: Path) -> Mapping[str, str]:
        """Go on with a copy in a folder where the program refers to stacks; returns what names it.

        The stacks that stand in for others are written while the program runs.
        """
        moved = [Path(one) for one in os.environ.get("PATH", "").split(os.pathsep) if is_stand_in_folder(one)]
        if not any(any(one.glob(f"{LANGUAGE}*")) for one in moved):
            return {}
        before, self._folder = self._folder / "stacks", folder / "backend" / ".pulumi"
        write_atomically(self._folder / "meta.yaml", "version: 1\n")
        if before.is_dir():
            shutil.copytree(before, self._folder / "stacks")
        return {"PULUMI_BACKEND_URL": f"file://{folder / 'backend'}"}

    def config(self, file: Path, project_file: Path) -> tuple[str, Sequence[str]]:
        """Return a stack's file as this backend can use it, and what in it is not the team's."""
        return adapted(file, project_file)

    def path(self, project: str, name: str) -> Path:
        """Return the file with a stack's state."""
        return self._folder / "stacks" / project / f"{name.rsplit('/', 1)[-1]}.json"


def _empty_stack(project: str, name: str, outputs: Mapping[str, object]) -> str:
    secrets = {"type": "passphrase", "state": {"salt": SALT}}
    manifest = {"time": "0001-01-01T00:00:00Z", "magic": "", "version": ""}
    latest: dict[str, object] = {"manifest": manifest, "secrets_providers": secrets, "metadata": {}}
    if outputs:
        root = f"urn:pulumi:{name}::{project}::{_ROOT}::{project}-{name}"
        latest["resources"] = [{"urn": root, "custom": False, "type": _ROOT, "outputs": outputs}]
    stack = f"organization/{project}/{name}"
    return json.dumps({"version": 3, "checkpoint": {"stack": stack, "latest": latest}})


class Stage(NamedTuple):
    """Where one rehearsal takes place.

    Attributes:
        variables: The environment of engine, program and plug-ins.
        config: The stack's file as it can be used there.
        state: The file in which the engine leaves the stack's state.
    """

    variables: Mapping[str, str]
    config: Path
    state: Path


def _carry_over(url: str, into: Path) -> None:
    """Have the outputs of a folder backend's other stacks where the program may refer to them.

    Their secrets cannot be opened here: each stands in, and whoever reads one reads something unknown.
    """
    parts = urlsplit(url)
    stacks = Path(unquote(parts.path)) / ".pulumi" / "stacks"
    if parts.scheme != "file" or not stacks.is_dir():
        return
    for path in stacks.glob("*/*.json"):
        copy = into / ".pulumi" / "stacks" / path.parent.name / path.name
        outputs = outputs_of(path)
        if outputs and not copy.exists():
            write_atomically(copy, _empty_stack(path.parent.name, path.stem, outputs))


def outputs_of(path: Path) -> dict[str, object]:
    """Return a stack's outputs, without their secrets; none of what is no state."""
    try:
        state = cast(
            "dict[str, dict[str, dict[str, list[dict[str, object]]]]]", json.loads(path.read_bytes())
        )
        resources = state["checkpoint"]["latest"]["resources"]
        outputs = next(one for one in resources if one.get("type") == _ROOT).get("outputs")
    except (OSError, ValueError, LookupError, TypeError, AttributeError, StopIteration):
        return {}
    kept: object = _without_secrets(cast("object", outputs)) if isinstance(outputs, dict) else {}
    return cast("dict[str, object]", kept)


def _without_secrets(value: object) -> object:
    if isinstance(value, list):
        return [_without_secrets(item) for item in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, object]", value)
    if "ciphertext" in fields:
        return marked_text(str(fields["ciphertext"]))
    return {name: _without_secrets(item) for name, item in fields.items()}


def _make_schema(project_file: Path) -> None:
    """Make the schema that a YAML program's engine asks for, if none is kept: it takes seconds.

    Preview and rehearsal would each make one besides, in a sandbox where they cannot keep it.
    """
    if language(read_yaml(project_file)) != "yaml" or (cache_root() / SCHEMAS).is_dir():
        return
    from tapgate.embedded.aws_provider.package_schema import schema_text  # noqa: PLC0415 - once in a home
    from tapgate.embedded.aws_provider.sdk_source import SdkMissingError  # noqa: PLC0415 - as above

    with contextlib.suppress(SdkMissingError):  # The provider says so.
        schema_text()


@dataclass(frozen=True)
class Theatre:
    """Sets stages for rehearsals, whatever the environment is prepared for, with the variables of answers."""

    answered: Mapping[str, str] = field(default_factory=dict[str, str])

    def stage(
        self,
        folder: Path,
        project: str,
        stack: str,
        file: Path,
        project_file: Path,
        existing: Sequence[str] = (),
    ) -> Stage:
        """Prepare a backend with the stack, empty, and the environment around it.

        Args:
            folder: Where; it goes with the session.
            project: The project's name.
            stack: The stack's own name.
            file: The stack's config file, which need not exist.
            project_file: The project's file.
            existing: Questions of `missed` that find something here.
        """
        _make_schema(project_file)
        backend = EmbeddedStacks(make_folder(folder / "backend"))
        backend.create(project, stack)
        _carry_over(os.environ.get("PULUMI_BACKEND_URL", ""), folder / "backend")
        config = folder / "stack.yaml"
        config.write_text(adapted(file, project_file).text, encoding="utf-8")
        others = shims(project_file, os.environ, rehearse=True)
        base = {**self.answered, **os.environ, EXISTING: json.dumps(existing)}
        changes = rehearsal_changes(base, folder / "backend", make_folder(folder / "tmp"), others=others)
        return Stage(applied(changes, base), config, backend.path(project, stack))

    def missed(self, messages: Iterable[str]) -> Sequence[str]:
        """Return what found nothing in a rehearsal, given the messages of its log, the last one last."""
        from tapgate.embedded.answers import missed  # noqa: PLC0415 - of a rehearsal that failed

        return missed(messages)

    def keep(self, file: Path) -> None:
        """Keep for later runs what one in a sandbox could not."""
        from tapgate.embedded.aws_provider.schema_store import keep_noted  # noqa: PLC0415 - seldom needed

        keep_noted(file)
