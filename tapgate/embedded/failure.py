"""The one form of a message that says why something cannot be done."""

from __future__ import annotations


class Failure(Exception):  # noqa: N818 - it is an outcome for the user, not a bug
    """What is wrong, where, why it matters and how to repair it; ends the command with exit code 2."""

    def __init__(self, what: str, *, where: str = "", why: str = "", fix: str = "") -> None:
        """Keep the parts that are given; `what` is one sentence without its full stop."""
        super().__init__(what)
        self.what = what
        self.where = where
        self.why = why
        self.fix = fix

    def __str__(self) -> str:
        """Render one line a part, the first being the sentence."""
        lines = [f"{self.what}."]
        lines += [
            f"  {label}: {text}"
            for label, text in (("Where", self.where), ("Why", self.why), ("Fix", self.fix))
            if text
        ]
        return "\n".join(lines)
