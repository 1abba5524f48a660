"""The zip file of an archive, however a program gives it."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import pytest

from tapgate.embedded.aws_provider.values import ArchiveError, Blob, digest, zipped

if TYPE_CHECKING:
    from pathlib import Path


def members(blob: Blob) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(zipped(blob))) as file:
        return {name: file.read(name) for name in file.namelist()}


def test_files_folders_and_archives_in_one(tmp_path: Path) -> None:
    (tmp_path / "lib" / "inner").mkdir(parents=True)
    (tmp_path / "lib" / "inner" / "a.py").write_text("a")
    (tmp_path / "b.py").write_text("b")
    code = Blob(
        "archive",
        assets={
            "index.py": Blob("asset", text="c"),
            "b.py": Blob("asset", path=str(tmp_path / "b.py")),
            "vendored": Blob("archive", path=str(tmp_path / "lib")),
            "more": Blob("archive", assets={"d.py": Blob("asset", text="d")}),
        },
    )
    assert members(code) == {
        "index.py": b"c",
        "b.py": b"b",
        "vendored/inner/a.py": b"a",
        "more/d.py": b"d",
    }
    assert members(Blob("archive", path=str(tmp_path / "lib"))) == {"inner/a.py": b"a"}
    assert zipped(code) == zipped(code)


def test_a_zip_file_is_taken_as_it_is(tmp_path: Path) -> None:
    given = tmp_path / "code.zip"
    given.write_bytes(b"PK whatever")
    assert zipped(Blob("archive", path=str(given))) == b"PK whatever"
    # AWS's own form: base 64 of the SHA-256.
    assert digest(Blob("archive", path=str(given))) == "duMrygOKmQL/1OxuW7R9goBfmZSzLF55Jv/QBjswzAg="


@pytest.mark.parametrize(
    ("blob", "said"),
    [
        (Blob("archive", uri="https://example.com/code.zip"), "is not on this machine"),
        (Blob("archive"), "The code is empty"),
        (Blob("archive", path="/none/code.zip"), "does not exist"),
    ],
)
def test_what_cannot_be_read_is_named(blob: Blob, said: str) -> None:
    with pytest.raises(ArchiveError, match=said):
        zipped(blob)
