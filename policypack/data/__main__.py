"""Write the tables, or check them: `python -m data [--check]`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from data.sources import read_sdk, read_service_spec
from data.tables import every_table, stray_native_paths

if TYPE_CHECKING:
    from collections.abc import Iterable

    from data.tables import Table

FOLDER: Final = Path(__file__).parent.parent / "tap_guardrails/aws/tables"


def stale(tables: Iterable[Table], folder: Path = FOLDER) -> list[str]:
    """Return the names of the tables whose files are not what their sources say, and of files of no table."""
    wanted = {f"{table.name}.json": table.text() for table in tables}
    found = {path.name: path.read_text("utf-8") for path in folder.glob("*.json")}
    return sorted(name for name in {*wanted, *found} if wanted.get(name) != found.get(name))


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
