"""The operator's guardrails: read whole or not at all, named as they are, tightened by teams."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tapgate.analyzer.deployment import read_deployment
from tapgate.audit import task as task_module
from tapgate.audit.states import State
from tapgate.audit.task import Store, Task, audit_state, pack_digest
from tapgate.cli import main
from tapgate.findings import CouldNotRunError, Guardrails, Report
from tapgate.floor import own_folder, read_floor
from tapgate.packs import requested_packs
from tapgate.rehearsal import evaluate
from tests.policypack.harness.trees import day
from tests.tapgate.sample_state import exported, resource, root

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import tzinfo

ROOT = Path(__file__).parents[2]
ROTATION = "kms-key-rotation"
WAIVER = {
    "policy": ROTATION,
    "urn": "urn:pulumi:prod::shop::aws:kms/key:Key::legacy",
    "finding": "enableKeyRotation",
    "granted": day(-10),
    "expires": day(30),
    "owner": "platform",
    "reason": "Replaced in spring; weighed by Jürgen.",
}


def folder_with(folder: Path, **files: object) -> Path:
    """A folder with guardrails; each file by the first word of its name."""
    names = {"config": "policy-config.json", "waivers": "waivers.yaml", "allow": "allow.yaml"}
    folder.mkdir(exist_ok=True)
    for name, body in files.items():
        text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
        (folder / names.get(name, name)).write_text(text, encoding="utf-8")
    return folder


def refusal(folder: Path) -> CouldNotRunError:
    with pytest.raises(CouldNotRunError) as raised:
        read_floor(folder)
    return raised.value


def test_the_tools_own_guardrails_are_the_packs_defaults_with_nothing_waived_or_allowed() -> None:
    floor = read_floor(None)
    assert floor.identity.folder == str(ROOT / "guardrails") == str(own_folder("guardrails"))
    assert (floor.body, floor.in_project) == ({}, frozenset())
    (pack,) = requested_packs([], [], floor)
    assert (pack.body, pack.config, pack.guardrails) == ({}, floor.config, floor.identity)


def test_config_waivers_and_allow_lists_are_one_config_of_the_pack(tmp_path: Path) -> None:
    text = f"""\
# The oldest first.
waivers:
- policy: {ROTATION}
  urn: "aws:kms/key:Key::legacy"
  finding: enableKeyRotation
  granted: {day(-10)}
  expires: {day(30)}
  owner: platform
  reason: Replaced in spring.
"""
    floor = read_floor(
        folder_with(
            tmp_path,
            config={ROTATION: "advisory", "no-unseen-resources": {"allow": ["random:*"]}},
            waivers=text,
            allow="unseen: ['command:local:*']\ninProject: [plugins]\n",
        )
    )
    assert floor.body == {
        ROTATION: {
            "enforcementLevel": "advisory",
            "waivers": [
                {"urn": "aws:kms/key:Key::legacy", "finding": "enableKeyRotation", "granted": day(-10),
                 "expires": day(30), "owner": "platform", "reason": "Replaced in spring."}
            ],
        },
        "no-unseen-resources": {"allow": ["random:*", "command:local:*"]},
    }  # fmt: skip
    assert floor.in_project == {"plugins"}
    assert floor.origins == {ROTATION: f"{tmp_path / 'waivers.yaml'}:3, waiver 1"}


def changed(**fields: object) -> list[dict[str, object]]:
    return [{name: value for name, value in {**WAIVER, **fields}.items() if value is not None}]


@pytest.mark.parametrize(
    ("entries", "what", "found"),
    [
        (changed(urn="*::*"), "`urn` has `*` in both type and name", '"*::*"'),
        (changed(urn="aws:*::*"), "`*` in both", "aws:*::*"),
        (changed(urn="urn:pulumi:*::*::*::*"), "`*` in both", "urn:pulumi"),
        (changed(urn="urn:pulumi:prod::app::tap:index:App$aws:*::k*"), "`*` in both", "tap:index:App"),
        (changed(urn="legacy"), "`urn` is no pattern of URNs", "legacy"),
        (changed(urn="urn:pulumi:prod::app::legacy"), "`urn` is no pattern", "legacy"),
        (changed(urn="aws:kms/key:Key::leg\u0430cy"), "U+0430 CYRILLIC SMALL LETTER A, which", "\\u0430"),
        (changed(policy="kms-key-rotati\u03bfn"), "U+03BF GREEK SMALL LETTER OMICRON", "\\u03bf"),
        (changed(owner="pl\u0430tform"), "`owner` has the character U+0430", "\\u0430"),
        (changed(owner="plat\u200bform"), "the invisible character U+200B ZERO WIDTH SPACE", "\\u200b"),
        (changed(reason="fine\u202eenif"), "the invisible character U+202E", "\\u202e"),
        (changed(finding="enable\u00adKeyRotation"), "U+00AD SOFT HYPHEN", "\\xad"),
        (changed(urn="aws:kms/key:Key::\uff4begacy"), "U+FF4B FULLWIDTH LATIN SMALL LETTER K", "\\uff4b"),
        (changed(granted="1.12.2026"), "`granted` is no day", "1.12.2026"),
        (changed(expires="2027-02-30"), "`expires` is no day", "2027-02-30"),
        (changed(expires=day(-11)), "The waiver never holds", "expires"),
        (changed(finding=None), "It lacks `finding`", "`policy`"),
        (changed(owner=""), "It lacks `owner`", "`policy`"),
        (changed(until=day(30)), "`until` means nothing", "`until`"),
        (changed(owner=["a", "b"]), "The waiver has another form", "a map"),
        (["all"], "The waiver has another form", '"all"'),
    ],
)  # fmt: skip
def test_a_waiver_that_is_none_is_refused_with_its_line(
    tmp_path: Path, entries: list[object], what: str, found: str
) -> None:
    lines = "".join(f"- {json.dumps(one, ensure_ascii=False)}\n" for one in [WAIVER, *entries])
    failure = refusal(folder_with(tmp_path, waivers=f"waivers:\n{lines}"))
    assert what in failure.what
    assert failure.where == f"{tmp_path / 'waivers.yaml'}:3, waiver 2"
    assert failure.why.startswith("found ")
    assert found in failure.why
    assert "; required: " in failure.why
    assert failure.fix
    assert failure.details == ()


def test_every_mistake_is_said_in_a_line_of_its_own(tmp_path: Path) -> None:
    failure = refusal(
        folder_with(tmp_path, waivers={"waivers": [*changed(urn="*::*"), *changed(owner=""), "x"]})
    )
    assert failure.what.startswith("The guardrails are not valid (3 mistakes): `urn` has `*`")
    assert len(failure.details) == 2
    assert all("required: " in line and "waivers.yaml:1, waiver" in line for line in failure.details)


@pytest.mark.parametrize(
    ("files", "what"),
    [
        ({"waivers": "- a\n"}, "The file has another form"),
        ({"waivers": "waiver: []\n"}, "The key means nothing"),
        ({"waivers": "waivers: []\nwaivers: []\n"}, "The key is there twice"),
        ({"waivers": "waivers: {a: b}\n"}, "`waivers` is no list"),
        ({"waivers": "waivers: [\n"}, "is not YAML"),
        ({"waivers": "waivers: [&a [*a]]\n"}, "is not YAML"),
        ({"allow": "unseen: ['*']\n"}, "An entry of `unseen` is not valid"),
        ({"allow": "unseen: ['c\u043emmand:*']\n"}, "An entry of `unseen`"),
        ({"allow": "inProject: [all]\n"}, "An entry of `inProject`"),
        ({"config": "[]"}, "config file cannot be read"),
        ({"config": "{"}, "config file cannot be read"),
        ({"config": "{}", "policy-config.yaml": "{}"}, "There are two configs"),
        ({"config": "{}", "waivers.yml": "waivers: []"}, "misspelt"),
        ({"config": "{}", "policy_config.yaml": "{}"}, "misspelt"),
        ({"notes.md": "x"}, "holds no guardrails"),
    ],
    ids=str,
)
def test_a_folder_that_would_silently_not_apply_is_refused(
    tmp_path: Path, files: Mapping[str, object], what: str
) -> None:
    failure = refusal(folder_with(tmp_path, **files))
    assert what in failure.what
    assert failure.where.startswith(str(tmp_path))
    assert failure.fix


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none").what == "The guardrails cannot be read."


def test_a_config_in_yaml_keeps_days_as_they_are_written(tmp_path: Path) -> None:
    text = f"{ROTATION}:\n  waivers:\n  - {{urn: '*::k', granted: 2026-12-01}}\n"
    floor = read_floor(folder_with(tmp_path, **{"policy-config.yaml": text}))
    assert floor.body == {ROTATION: {"waivers": [{"urn": "*::k", "granted": "2026-12-01"}]}}


@pytest.fixture
def repository(tmp_path: Path) -> tuple[Path, Callable[..., str]]:
    folder = folder_with(tmp_path / "guardrails", config="{}", waivers="waivers: []\n")

    def git(*words: str) -> str:
        named = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
        done = subprocess.run(
            ["git", *named, *words], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    git("init", "--quiet")
    return folder, git


def test_the_commit_that_the_files_are_at_is_named(repository: tuple[Path, Callable[..., str]]) -> None:
    folder, git = repository
    assert read_floor(folder).identity.version == "not in git"
    (folder.parent / "other").touch()
    git("add", "other")
    git("commit", "--quiet", "-m", "other")
    assert read_floor(folder).identity.version == "not in git"
    git("add", ".")
    git("commit", "--quiet", "-m", "guardrails")
    commit = f"commit {git('rev-parse', 'HEAD')}"
    clean = read_floor(folder).identity
    assert clean.version == commit
    (folder / "README.md").touch()
    assert read_floor(folder).identity == clean
    (folder / "allow.yaml").write_text("unseen: ['command:*']\n")
    added = read_floor(folder).identity
    assert added.version == f"{commit}, with changes that are not committed"
    assert added.digest != clean.digest
    (folder / "allow.yaml").unlink()
    (folder / "waivers.yaml").unlink()
    assert read_floor(folder).identity.version.endswith("with changes that are not committed")


def test_nothing_of_a_repository_runs_or_decides(
    repository: tuple[Path, Callable[..., str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder, git = repository
    git("add", ".")
    git("commit", "--quiet", "-m", "guardrails")
    commit = git("rev-parse", "HEAD")
    git("config", "core.fsmonitor", f"touch {tmp_path}/ran")
    git("config", "filter.x.clean", f"touch {tmp_path}/ran")
    (folder / ".gitattributes").write_text("* filter=x\n")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    assert read_floor(folder).identity.version == f"commit {commit}"
    assert not (tmp_path / "ran").exists()


def test_without_git_it_is_in_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert read_floor(None).identity.version == "not in git"


def packs_of(tmp_path: Path, team: object, **files: object) -> tuple[dict[str, object], Guardrails]:
    file = tmp_path / "team.yaml"
    file.write_text(json.dumps(team))
    floor = read_floor(folder_with(tmp_path / "guardrails", **files))
    (pack,) = requested_packs([], [], floor, file)
    assert pack.guardrails is not None
    return dict(pack.body), pack.guardrails


def test_a_team_tightens_what_the_operator_set_and_is_named(tmp_path: Path) -> None:
    body, named = packs_of(
        tmp_path, {ROTATION: {"maximumRotationDays": 90}}, config={}, waivers={"waivers": [WAIVER]}
    )
    terms = {name: value for name, value in WAIVER.items() if name != "policy"}
    assert body[ROTATION] == {"enforcementLevel": "mandatory", "maximumRotationDays": 90, "waivers": [terms]}
    assert named.team.startswith(f"{tmp_path / 'team.yaml'} (sha256 ")
    assert str(named).endswith(f"; tightened by {named.team}")


def test_a_small_file_of_a_team_is_no_endless_one(tmp_path: Path) -> None:
    lines = "".join(f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 10)}]\n" for n in range(12))
    (tmp_path / "team.yaml").write_text(f"a0: &a0 [x]\n{lines}")
    with pytest.raises(CouldNotRunError) as raised:
        requested_packs([], [], read_floor(None), tmp_path / "team.yaml")
    assert "an alias is not taken" in raised.value.why
    (tmp_path / "team.yaml").write_text("[" * 5_000)
    with pytest.raises(CouldNotRunError):
        requested_packs([], [], read_floor(None), tmp_path / "team.yaml")


def test_a_team_has_nothing_to_tighten_where_the_pack_does_not_know_how(tmp_path: Path) -> None:
    probe = Path(__file__).parent / "fixtures" / "packs" / "probe"
    (tmp_path / "team.json").write_text("{}")
    with pytest.raises(CouldNotRunError, match="can be tightened by a team"):
        requested_packs([probe], [], read_floor(None), tmp_path / "team.json")


@pytest.mark.parametrize(
    ("files", "where", "what"),
    [
        (
            {"config": {"kms-key-rotatoin": "mandatory"}},
            "policy-config.json",
            "has no policy 'kms-key-rotatoin'",
        ),
        (
            {"waivers": {"waivers": changed(policy="no-such-policy")}},
            "waivers.yaml:1, waiver 1",
            "has no policy",
        ),
        (
            {"config": {ROTATION: {"maximumRotationDays": 0}}},
            "policy-config.json",
            "operator's configuration is not",
        ),
    ],
    ids=str,
)
def test_what_the_operator_misspelt_is_said_before_anything_runs(
    tmp_path: Path, files: Mapping[str, object], where: str, what: str
) -> None:
    floor = read_floor(folder_with(tmp_path, **files))
    (tmp_path / "team.json").write_text("{}")
    with pytest.raises(CouldNotRunError) as raised:
        requested_packs([], [], floor, tmp_path / "team.json")
    assert what in raised.value.what
    assert raised.value.where == str(tmp_path / where)


LOOSER = {
    "everything advises": ({"all": "advisory"}, '`enforcementLevel` "advisory" is looser than "mandatory"'),
    "everything is off": ({"all": "disabled"}, '`enforcementLevel` "disabled" is looser than "mandatory"'),
    "everything, at length": ({"all": {"enforcementLevel": "disabled"}}, '"disabled" is looser than'),
    "one policy advises": ({ROTATION: "advisory"}, f"policy `{ROTATION}`: `enforcementLevel`"),
    "what is unknown passes": ({ROTATION: {"onUnknown": "warn"}}, '`onUnknown` "warn" is looser than "deny"'),
    "a waiver of its own": ({ROTATION: {"waivers": [{**WAIVER, "urn": "*::*"}]}}, "`waivers` [{"),
    "what it may waive": ({"waiver-in-force": {"programWaivable": [ROTATION]}}, "`programWaivable` ["),
    "who may waive": ({"waiver-in-force": {"maximumDays": 3650}}, "`maximumDays` 3650 is looser than 365"),
    "what is unseen": ({"no-unseen-resources": {"allow": ["*"]}}, '`allow` ["*"] is looser than []'),
    "a name that is none": ({"kms-key-rotatoin": "mandatory"}, "there is no policy `kms-key-rotatoin`"),
}  # fmt: skip


@pytest.mark.cli
@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize(
    ("name", "option"),
    [
        *((name, "--team-config") for name in LOOSER),
        ("everything advises", "--policy-pack-config"),
        ("everything is off", "--policy-pack-config"),
    ],
)
def test_a_team_that_loosens_is_refused_in_one_line(
    name: str, option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    team, line = LOOSER[name]
    (tmp_path / "Pulumi.yaml").write_text("name: app\nruntime: yaml\nresources: {k: {type: 'aws:kms:Key'}}\n")
    (tmp_path / "team.json").write_text(json.dumps(team))
    assert main(["preview", "-C", str(tmp_path), option, str(tmp_path / "team.json")]) == 2
    said = capsys.readouterr()
    assert "The team's configuration is" in said.err
    (found,) = [one for one in said.err.splitlines() if one.lstrip().startswith("|")]
    assert line in found
    if "there is no policy" not in found:
        assert "which only the operator may change" in found
        assert str(ROOT / "guardrails" / "policy-config.yaml") in " ".join(said.err.split())
    assert "Traceback" not in said.err


PROVIDER = resource("default", "pulumi:providers:aws", stack="prod", inputs={"region": "eu-west-2"})
STATEMENTS = [{"Effect": "Allow", "Action": one, "Resource": "arn:aws:s3:::x"} for one in ("s3:*", "*")]


def aws(name: str, kind: str, **inputs: object) -> dict[str, object]:
    provider = f"{PROVIDER['urn']}::id"
    return resource(name, f"aws:{kind}", stack="prod", provider=provider, inputs=inputs, outputs=inputs)


STATE = exported(
    [
        root("prod"),
        PROVIDER,
        aws("legacy", "kms/key:Key", enableKeyRotation=False),
        aws("other", "kms/key:Key", enableKeyRotation=False),
        aws("rights", "iam/rolePolicy:RolePolicy", policy=json.dumps({"Statement": STATEMENTS})),
    ]
)


def test_previews_and_audits_say_the_same_of_a_state_under_one_registry(tmp_path: Path) -> None:
    wildcard = {**WAIVER, "policy": "iam-no-wildcards", "finding": "policy.Statement[0].Action",
                "urn": "aws:iam/rolePolicy:RolePolicy::rights"}  # fmt: skip
    expired = {**WAIVER, "urn": "aws:kms/key:Key::other", "granted": day(-40), "expires": day(-1)}
    folder = folder_with(tmp_path, waivers={"waivers": [WAIVER, wildcard, expired]})
    packs = tuple(requested_packs([], [], read_floor(folder)))
    # What a preview and a deployment do with the state that a rehearsal or an update leaves.
    previewed = evaluate(read_deployment(STATE, "f"), packs, {})
    audited = audit_state(Task(State("f", partial(bytes, STATE)), packs, pack_digest(packs), None)).outcome
    assert isinstance(audited, Report)
    here = {(one.policy, one.urn, one.level) for one in previewed.findings}
    assert here == {(one.policy, one.urn, one.level) for one in audited.findings}
    assert len(previewed.findings) == len(audited.findings)
    waived = {(one.policy, one.name) for one in audited.findings if one.verdict == "waived"}
    assert waived == {(ROTATION, "legacy"), ("iam-no-wildcards", "rights")}
    assert sum("Verdict: waived" in one.message for one in previewed.findings) == 2
    # What came later, at another place of the waived document, and what has expired.
    blocking = [(one.policy, one.name, one.property_path) for one in audited.findings if one.blocks]
    assert (ROTATION, "other", "enableKeyRotation") in blocking
    assert ("iam-no-wildcards", "rights", "policy.Statement[1].Action") in blocking
    assert audited.guardrails == packs[0].guardrails


DOCUMENTED = (
    "python -m tapgate preview --project PROJECT --stack STACK --guardrails GUARDRAILS --team-config TEAM"
)


@pytest.mark.cli
@pytest.mark.usefixtures("backend")
def test_the_command_as_documented(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One run: what the operator waives and allows, and what the team tightens."""
    folder_with(
        tmp_path / "guardrails",
        config={"all": "advisory", ROTATION: "mandatory"},
        waivers={"waivers": [{**WAIVER, "urn": "urn:pulumi:dev::app::aws:kms/key:Key::legacy"}]},
        allow="inProject: [pluginDownloadURL]\n",
    )
    (tmp_path / "team.yaml").write_text(f"{ROTATION}: {{maximumRotationDays: 90}}\n")
    (tmp_path / "Pulumi.yaml").write_text("""\
name: app
runtime: yaml
variables:
  region: {fn::invoke: {function: "aws:getRegion", arguments: {}, options: {pluginDownloadURL: x}}}
resources:
  legacy: {type: "aws:kms:Key", properties: {enableKeyRotation: false, rotationPeriodInDays: 90}}
  young: {type: "aws:kms:Key", properties: {enableKeyRotation: true, rotationPeriodInDays: 180}}
""")
    words = {name: tmp_path / file for name, file in (("GUARDRAILS", "guardrails"), ("TEAM", "team.yaml"))}
    command = DOCUMENTED
    for name, value in {"PROJECT": tmp_path, "STACK": "dev", **words}.items():
        command = command.replace(name, str(value))
    assert main(command.split()[3:]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert f"operator {tmp_path / 'guardrails'}, not in git (sha256 " in said
    assert f"tightened by {tmp_path / 'team.yaml'} (sha256 " in said
    assert "the guardrails lie in the project that they are for" in said
    assert said.count(f"BLOCKED {ROTATION}") == 1
    assert f"WAIVED {ROTATION}" in said
    assert "180" in said


def test_a_kept_result_is_one_of_the_day_and_names_the_guardrails_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Tomorrow(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + timedelta(days=1)

    packs = tuple(requested_packs([], [], read_floor(None)))
    task = Task(State("f", partial(bytes, STATE)), packs, pack_digest(packs), Store(tmp_path))
    assert not audit_state(task).kept
    later = replace(packs[0], guardrails=Guardrails("there", "commit x", "0"))
    kept = audit_state(replace(task, packs=(later,)))
    assert kept.kept
    assert isinstance(kept.outcome, Report)
    assert kept.outcome.guardrails == later.guardrails
    monkeypatch.setattr(task_module, "datetime", Tomorrow)
    assert not audit_state(task).kept
