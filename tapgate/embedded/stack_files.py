"""Copies of stack files (`Pulumi.<stack>.yaml`) that the embedded backend can use.

For a stack in a folder backend the engine writes the passphrase provider's salt into the stack's file,
already in a preview, and it opens every secret of the file first. So the engine is given a copy: with the
stand-in salt, without what leads to the team's own keys or to Pulumi Cloud, and with stand-ins for secrets.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import yaml

from tapgate.embedded.places import checkout_folder, write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SALT: Final = "v1:YckHv4jzYho=:v1:vG5ZCc+2uVe3TcUM:f5sywG81yJaJXuzbV28/HUz5PTLgCw=="
"""The passphrase provider's salt for the stand-in passphrase; the same in every embedded stack."""
SECRET: Final = "tapgate-stand-in-secret"  # noqa: S105 - says that it is none
"""What the program gets in place of a secret whose type is not declared as another one than string."""

# Each value as the passphrase provider encrypts it with the stand-in passphrase and SALT.
_ENCRYPTED: Final = {
    SECRET: "v1:UPzr4OMDlmftXFG7:IBiTR29XRH29StwiJNpKEGpN8aU1AalZLveoranHDTkSPzzhRiF7",
    "1": "v1:a4ayc/80/OGda4BO:Ie2/CqvqVv6PigiPVeS9zpM=",
    "true": "v1:tb6kG2xiP3wJ8b8k:06KlIh/EEE/N+tIhe8VYMcDhEnY=",
}
_OF_TYPE: Final = {"integer": "1", "boolean": "true"}
# What takes `encryptionsalt` for the passphrase provider alone: an empty value is none to the engine.
_OTHER_PROVIDER: Final = ("secretsprovider", "encryptedkey")
_STRING: Final = "tag:yaml.org,2002:str"
OPERATIONS: Final = ("preview", "pre", "up", "update", "destroy", "refresh", "import", "watch")
"""Commands of the CLI that work on a stack by its config."""


@dataclass(frozen=True)
class StackFile:
    """The text that the engine is given, and what in it is not the team's."""

    text: str
    notes: tuple[str, ...] = ()


def embedded(text: str, project: str = "") -> StackFile:
    """Return a stack file as the embedded backend can use it.

    Args:
        text: The file, whose YAML can be read.
        project: The project file, whose `config` block may declare the types of values.
    """
    top = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(top, yaml.MappingNode) or not top.value:
        return StackFile(f"encryptionsalt: {SALT}\n")
    edits: dict[tuple[int, int], str] = {}
    notes: list[str] = []
    salted = False
    for key, value in _entries(top):
        if key == "encryptionsalt":
            _replace(edits, value, SALT)
            salted = True
        elif key in _OTHER_PROVIDER:
            _replace(edits, value, '""')
        elif key == "environment":
            _replace(edits, value, " []")
            notes.append("environments of Pulumi Cloud are left out: their values do not reach the program")
        elif key == "config":
            names = list(_secrets(value, _body(project), edits))
            if names:
                notes.append(f"secrets in the stack's config stand in: {', '.join(dict.fromkeys(names))}")
    for (start, end), new in sorted(edits.items(), reverse=True):
        # A block ends where the next thing begins: the line's end is not a part of what is replaced.
        rest = text[start:end]
        text = f"{text[:start]}{new}{rest[len(rest.rstrip()) :]}{text[end:]}"
    if not salted:
        text = _with_salt(text, top)
    return StackFile(text, tuple(notes))


def _entries(node: yaml.Node) -> Iterator[tuple[str, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield str(key.value), value


def _secrets(
    config: yaml.Node, project: Mapping[str, object], edits: dict[tuple[int, int], str]
) -> Iterator[str]:
    """Replace each secret, wherever it is nested, and yield the key of the config that has it."""
    namespace, declared = str(project.get("name")), _mapping(project.get("config"))
    for key, value in _entries(config):
        short = key.removeprefix(f"{namespace}:")
        kind = declared.get(short, declared.get(f"{namespace}:{short}"))
        for secret, of in _within(value, kind):
            _replace(edits, secret, _ENCRYPTED[_OF_TYPE.get(of, SECRET)])
            yield key


def _body(project: str) -> Mapping[str, object]:
    """Read a project file; keys and values are texts, so that one called `on` is not taken for a boolean."""
    return _mapping(cast("object", yaml.load(project, Loader=yaml.BaseLoader)))  # noqa: S506 - makes only texts


def _mapping(value: object) -> Mapping[str, object]:
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def _within(node: yaml.Node, kind: object) -> Iterator[tuple[yaml.Node, str]]:
    """Yield the ciphertext of each secret, and the type that the project declares of it."""
    types = _mapping(kind) or {"type": kind}
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _within(item, types.get("items"))
        return
    entries = list(_entries(node))
    if len(entries) == 1 and entries[0][0] == "secure" and entries[0][1].tag == _STRING:
        yield entries[0][1], str(types.get("type") or "string")
        return
    for _, value in entries:
        yield from _within(value, None)


def _replace(edits: dict[tuple[int, int], str], node: yaml.Node, new: str) -> None:
    edits[node.start_mark.index, node.end_mark.index] = new


def _with_salt(text: str, top: yaml.MappingNode) -> str:
    if top.flow_style:
        after = top.start_mark.index + 1
        return f"{text[:after]}encryptionsalt: {json.dumps(SALT)}, {text[after:]}"
    start = top.start_mark.index
    return f"{text[:start]}encryptionsalt: {SALT}\n{' ' * top.start_mark.column}{text[start:]}"


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
    text = source.read_text(encoding="utf-8") if source.is_file() else ""
    try:
        adapted = embedded(text, (root / "Pulumi.yaml").read_text(encoding="utf-8")).text
    except yaml.YAMLError:
        adapted = text  # The engine says what is wrong with it.
    write_atomically(copy, adapted)
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
