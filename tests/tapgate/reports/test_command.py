from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import pytest

from tapgate.cli import main
from tapgate.findings import CouldNotRunError, Exit
from tapgate.reports.command import add_arguments, merged, read_policies, run
from tapgate.reports.controls import PolicyInfo
from tapgate.reports.junit import to_junit
from tapgate.reports.markdown import to_markdown
from tapgate.reports.page import to_html
from tapgate.reports.sarif import to_sarif
from tapgate.reports.verdict_file import VerdictFile, from_json, to_json
from tapgate.reports.writing import Targets, add_targets, load, targets_of, write
from tests.tapgate.reports import realistic
from tests.tapgate.reports.strategies import HOSTILE


def report(*arguments: str | Path) -> Exit:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return run(parser.parse_args([str(argument) for argument in arguments]))


@pytest.fixture
def verdict(tmp_path: Path) -> Path:
    path = tmp_path / "verdict.json"
    path.write_text(to_json(realistic.blocked()), encoding="utf-8")
    return path


DOCUMENTED = "python -m tapgate report --from verdict.json --html report.html"


def test_the_command_as_documented(verdict: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(verdict.parent)
    assert main(DOCUMENTED.split()[3:]) == 0
    assert (verdict.parent / "report.html").read_text(encoding="utf-8") == to_html(realistic.blocked())


def test_all_reports_are_drawn_from_the_verdict(verdict: Path, tmp_path: Path) -> None:
    earlier = tmp_path / "earlier.json"
    earlier.write_text(to_json(realistic.passed()), encoding="utf-8")
    names = ("html", "sarif", "junit", "markdown", "verdict")
    options = [word for name in names for word in (f"--{name}", tmp_path / f"out.{name}")]
    done = report("--from", verdict, *options, "--earlier", earlier, "--sarif-prefix", "infra")
    assert done is Exit.PASSED
    wrote = {name: (tmp_path / f"out.{name}").read_text(encoding="utf-8") for name in names}
    verdicts = realistic.blocked()
    assert wrote == {
        "html": to_html(verdicts, earlier=realistic.passed()),
        "sarif": to_sarif(verdicts, prefix="infra"),
        "junit": to_junit(verdicts),
        "markdown": to_markdown(verdicts, earlier=realistic.passed()),
        "verdict": to_json(verdicts),
    }


def test_what_was_written_is_said(verdict: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report("--from", verdict, "--html", tmp_path / "r.html")
    assert capsys.readouterr().out == (
        f"tap / prod: blocked. 6 findings stop the deployment.\n  wrote {tmp_path / 'r.html'}\n"
    )


def test_a_report_on_standard_output_comes_alone(verdict: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report("--from", verdict, "--junit", "-")
    assert capsys.readouterr().out == to_junit(realistic.blocked())


def test_hostile_names_do_not_reach_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in HOSTILE:
        hostile = replace(realistic.report([]), project=name, stack=name, notes=(name,))
        source = tmp_path / "in.json"
        source.write_text(to_json(VerdictFile.of("preview", [hostile])), encoding="utf-8")
        target = tmp_path / "out \x1b[2J.html"
        report("--from", source, "--html", target)
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 2
        assert all(line.isprintable() for line in lines), lines
        assert "\\x1b[2J" in lines[1]


def test_several_verdicts_become_one_report(tmp_path: Path) -> None:
    first, second = tmp_path / "1.json", tmp_path / "2.json"
    first.write_text(to_json(realistic.earlier_audit()), encoding="utf-8")
    second.write_text(to_json(realistic.audit()), encoding="utf-8")
    out = tmp_path / "all.json"
    report("--from", first, "--from", second, "--verdict", out)
    whole = from_json(out.read_bytes())
    assert [one.project for one in whole.stacks] == [
        "batch",
        "billing",
        "orders",
        "tap",
        "tap",
        "tap",
        "warehouse",
    ]
    assert whole.stacks[2] == realistic.audit().stacks[2]
    assert (whole.kind, whole.made, len(whole.unaudited)) == ("audit", realistic.audit().made, 1)


def test_a_mixture_of_kinds_is_an_audit() -> None:
    preview, deploy = realistic.passed(), replace(realistic.passed(), kind="deploy")
    assert merged([preview, deploy], []).kind == "audit"
    assert merged([deploy], []).kind == "deploy"


def test_descriptions_of_packs_are_added(tmp_path: Path) -> None:
    (one,) = realistic.passed().stacks
    source = tmp_path / "in.json"
    source.write_text(json.dumps(one.as_document()), encoding="utf-8")
    policies = tmp_path / "pack.json"
    pack = {"name": realistic.PACK, "policies": [{"name": "kms-key-rotation", "tags": ["aws-fsbp:KMS.4"]}]}
    for shape in (pack, [pack]):
        policies.write_text(json.dumps(shape), encoding="utf-8")
        report("--from", source, "--policies", policies, "--verdict", tmp_path / "out.json")
        verdicts = from_json((tmp_path / "out.json").read_bytes())
        assert verdicts.policies == (
            PolicyInfo("kms-key-rotation", realistic.PACK, tags=("aws-fsbp:KMS.4",)),
        )


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("{", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ("{}", "describes no policy"),
        ("7", "describes no"),
    ],
)
def test_a_description_that_is_none_is_refused(tmp_path: Path, body: str, problem: str) -> None:
    path = tmp_path / "pack.json"
    path.write_text(body, encoding="utf-8")
    with pytest.raises(CouldNotRunError) as refused:
        read_policies(path)
    assert problem in refused.value.why
    assert refused.value.where == str(path)
    with pytest.raises(CouldNotRunError, match="description of a pack cannot be read"):
        read_policies(tmp_path / "none.json")


def test_without_a_report_asked_for_nothing_is_done(verdict: Path) -> None:
    with pytest.raises(CouldNotRunError, match="No report was asked for"):
        report("--from", verdict)


def test_a_verdict_that_is_none_is_refused_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(CouldNotRunError) as refused:
        load(tmp_path / "none.json")
    assert refused.value.why.startswith("No such file or directory")
    path = tmp_path / "cut.json"
    path.write_text(to_json(realistic.blocked())[:-100], encoding="utf-8")
    with pytest.raises(CouldNotRunError) as refused:
        load(path)
    assert (refused.value.where, refused.value.why[:11]) == (str(path), "is not JSON")
    path.write_text(
        to_json(realistic.blocked()).replace('"seconds": 3.42', '"seconds": null'), encoding="utf-8"
    )
    with pytest.raises(CouldNotRunError) as refused:
        load(path)
    assert refused.value.where == f"{path}, stacks[0].seconds"


def test_a_report_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CouldNotRunError, match="cannot be written"):
        write(realistic.passed(), Targets({"html": tmp_path / "no" / "such" / "folder.html"}))


def test_other_commands_share_the_options(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    add_targets(parser)
    targets = targets_of(
        parser.parse_args(["--sarif", "x.sarif", "--earlier", "e.json", "--sarif-prefix", "p"])
    )
    assert targets == Targets({"sarif": Path("x.sarif")}, earlier=Path("e.json"), prefix="p")
    assert targets_of(parser.parse_args([])) == Targets({})
    write(realistic.passed(), Targets({}, earlier=tmp_path / "is not read when nothing is written.json"))
