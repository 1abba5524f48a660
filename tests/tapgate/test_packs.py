from __future__ import annotations

from pathlib import Path

import pytest

from tapgate.findings import CouldNotRunError
from tapgate.packs import relaxed, requested_packs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pack = tmp_path / "policypack"
    pack.mkdir()
    (pack / "PulumiPolicy.yaml").write_text("runtime: {name: python}\n")
    return pack


def test_the_tools_own_pack_is_the_default_wherever_it_runs(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    (pack,) = requested_packs([], [])
    assert (pack.folder, pack.config) == (Path(__file__).parents[2] / "policypack", None)


def test_a_config_file_says_what_is_off(folder: Path) -> None:
    config = folder / "config.json"
    config.write_text(
        '{"all": "mandatory", "a": "disabled", "b": {"enforcementLevel": "disabled"}, "c": {"x": 1}}'
    )
    (pack,) = requested_packs([folder], [config])
    assert pack.disabled == {"a", "b"}
    assert pack.configured == {"a", "b", "c"}


def test_one_config_for_two_packs(folder: Path) -> None:
    with pytest.raises(CouldNotRunError, match=r"There are 1 --policy-pack-config for 2 --policy-pack\."):
        requested_packs([folder, folder], [folder / "x.json"])


def test_a_folder_that_is_not_there_or_no_pack_or_says_no_runtime(folder: Path) -> None:
    with pytest.raises(CouldNotRunError, match="does not exist"):
        requested_packs([folder / "none"], [])
    with pytest.raises(CouldNotRunError, match=r"no PulumiPolicy\.yaml"):
        requested_packs([folder.parent], [])
    (folder / "PulumiPolicy.yaml").write_text("version: 1.0.0")
    with pytest.raises(CouldNotRunError, match="says no runtime"):
        requested_packs([folder], [])


@pytest.mark.parametrize("body", ["{", "[]", "null", b"\xff"])
def test_an_unreadable_config(folder: Path, body: str | bytes) -> None:
    config = folder / "config.json"
    config.write_bytes(body if isinstance(body, bytes) else body.encode())
    with pytest.raises(CouldNotRunError, match="config file cannot be read"):
        requested_packs([folder], [config])


def test_a_config_that_is_not_there(folder: Path) -> None:
    with pytest.raises(CouldNotRunError) as caught:
        requested_packs([folder], [folder / "none.json"])
    assert caught.value.why == "No such file or directory"


def test_what_has_been_settled_only_advises(folder: Path) -> None:
    config = folder / "config.json"
    config.write_text('{"a": {"enforcementLevel": "mandatory", "x": 1}, "b": "mandatory", "c": "mandatory"}')
    packs = requested_packs([folder], [config])
    (pack,) = relaxed(packs, {"a", "b", "new"})
    advises = {"enforcementLevel": "advisory"}
    assert pack.body == {"a": {**advises, "x": 1}, "b": advises, "c": "mandatory", "new": advises}
    assert relaxed(packs, ()) == packs
    assert packs[0].body["b"] == "mandatory"
