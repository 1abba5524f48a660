"""Every command in the documentation is run by a test, or says why it cannot be."""

from __future__ import annotations

import argparse
import ast
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tapgate import cli
from tests.docs.blocks import SHELLS, Block, blocks
from tests.stack.engine import PACK, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PAGES = [
    page
    for page in (ROOT / "README.md", ROOT / "policypack" / "README.md", *sorted((ROOT / "docs").glob("*.md")))
    if page.is_file()
]
COMMANDS = [block for page in PAGES for block in blocks(page) if block.language in SHELLS]
RUN = re.compile(r"<!-- run by (?P<file>[\w./-]+?)(?:::(?P<test>\w+))?(?:, exits \d)? -->")
PREPARED = "python -m tapgate exec -- "
NOT_RUN = re.compile(r"<!-- not run by tests: (?P<reason>\S.{9,}) -->")


@pytest.mark.parametrize("block", COMMANDS, ids=str)
def test_a_command_names_the_test_that_runs_it_or_why_none_can(block: Block) -> None:
    assert block.commands, f"{block}: there is no command"
    if NOT_RUN.fullmatch(block.lead):
        return
    named = RUN.fullmatch(block.lead)
    assert named, (
        f"{block}: the line before the block has to be `<!-- run by FILE::TEST -->` or "
        f"`<!-- not run by tests: REASON -->`, not {block.lead!r}"
    )
    source = (ROOT / named["file"]).read_text(encoding="utf-8")
    assert named["test"] is None or f"def {named['test']}(" in source, f"{block}: no such test"
    if re.search(rf"\b{re.escape(block.page.name)}\b", source):
        return  # It reads the commands from the page itself.
    for part in (part for command in block.commands for part in command.split(" && ")):
        # Tests are in the prepared environment already.
        assert part.removeprefix(PREPARED) in source, f"{block}: {named['file']} does not run {part!r}"


def test_pages_are_found() -> None:
    assert {page.name for page in PAGES} >= {"README.md", "org-wide.md", "deployment.md", "write-a-rule.md"}
    assert len(COMMANDS) > 10


@pytest.mark.cli
@pytest.mark.uncounted
def test_the_pack_in_front_of_any_program(engine_env: Mapping[str, str], tmp_path: Path) -> None:
    """The command of README.md in a project that has nothing of this repository."""
    (block,) = [one for one in COMMANDS if "path/to/policypack" in one.body and one.page.name == "README.md"]
    (tmp_path / "Pulumi.yaml").write_text("name: other\nruntime: yaml\n")
    (tmp_path / "path" / "to").mkdir(parents=True)
    (tmp_path / "path" / "to" / "policypack").symlink_to(PACK)
    script = f"pulumi stack init dev\n{block.body}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        env={**engine_env, "PULUMI_NON_INTERACTIVE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"tap-guardrails@v?\d", done.stdout), done.stdout


def spans() -> Iterator[tuple[str, str]]:
    """Each command in a sentence or a table, with its place."""
    for page in PAGES:
        outside = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        for span in re.findall(r"`([^`\n]+)`", outside):
            yield page.name, span
    for block in COMMANDS:
        for command in block.commands:
            for part in command.split(" && "):
                yield str(block), part


SPANS = sorted(set(spans()))


def sessions() -> set[str]:
    """The sessions of the noxfile."""
    tree = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
    return {one.name for one in tree.body if isinstance(one, ast.FunctionDef) and one.decorator_list}


def test_sessions_that_are_mentioned_exist() -> None:
    mentioned = {(place, name) for place, span in SPANS for name in re.findall(r"\bnox -s (\w+)", span)}
    assert len(mentioned) > 5
    assert {one for one in mentioned if one[1] not in sessions()} == set()


def gate_arguments() -> Iterator[tuple[str, list[str]]]:
    """What follows the gate's name wherever it is mentioned, also by way of a session."""
    for place, span in SPANS:
        words = shlex.split(span.split("|")[0]) if span.count('"') % 2 == 0 and "'" not in span else []
        for index, word in enumerate(words):
            if words[index - 1 : index + 1] == ["-m", "tapgate"]:
                yield place, words[index + 1 :]
            if (
                index
                and words[index - 1 : index + 1] == ["-s", word]
                and word in {"preview", "deploy", "audit"}
            ):
                given = words[index + 2 :] if words[index + 1 : index + 2] == ["--"] else []
                yield place, [word, *given]


def test_the_gates_options_that_are_mentioned_exist(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = [(place, words) for place, words in gate_arguments() if words and words[0] in cli.COMMANDS]
    assert len(seen) > 8

    class UnderstoodError(Exception):
        pass

    def parsed(self: argparse.ArgumentParser, given: list[str]) -> None:
        whole(self, given)
        raise UnderstoodError

    whole = argparse.ArgumentParser.parse_args
    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parsed)
    for place, words in seen:
        try:
            cli.main(words)
        except UnderstoodError:
            continue
        except SystemExit:
            pytest.fail(f"{place}: {' '.join(words)}\n{capsys.readouterr().err}")


def test_modules_that_are_mentioned_exist() -> None:
    names = {(place, name) for place, span in SPANS for name in re.findall(r"\bpython -m ([\w.]+)", span)}
    assert {name for _, name in names} >= {"tapgate"}
    folders = [ROOT, PACK, *map(Path, sys.path)]

    def there(name: str) -> bool:
        path = Path(*name.split("."))
        return any(
            (folder / path / "__main__.py").is_file() or (folder / path.with_suffix(".py")).is_file()
            for folder in folders
        )

    assert {one for one in names if not there(one[1])} == set()


def anchors(page: Path) -> set[str]:
    """What a link can point at in a page: its headings, as GitHub spells them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}


def test_what_is_linked_exists() -> None:
    links = [
        (page, target, anchor)
        for page in PAGES
        for target, anchor in re.findall(r"\]\(([^)#\s]*)#?([^)\s]*)\)", page.read_text(encoding="utf-8"))
        if not re.match(r"[a-z]+://", target)
    ]
    assert links
    broken: list[str] = []
    for page, target, anchor in links:
        file = page.parent / target if target else page
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors(file)):
            broken.append(f"{page.name}: {target}#{anchor}")
    assert broken == []
