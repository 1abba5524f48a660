"""The few drawings of the page, marks and bars, and the words for those who do not see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tapgate.reports.page.elements import Markup, element

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tapgate.reports.score import Share

# Strokes on a 24 x 24 grid.
_PATHS: Final[Mapping[str, str]] = {
    "failed": "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18M9 9l6 6M15 9l-6 6",
    "met": "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18M8 12.5l2.8 2.8L16.2 9.5",
    "undecided": "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18M9.6 9.6a2.5 2.5 0 1 1 3.6 2.3c-.8.4-1.2.9-1.2 1.8"
    "M12 16.8v.1",
    "advisory": "M12 4L21 19.5H3ZM12 10v4.2M12 16.7v.1",
    "waived": "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18M12 7.5V12l3 2",
    "off": "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18M6 6l12 12",
    "not applicable": "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18M8 12h8",
    "shield": "M12 2.8l7.5 2.7v5.7c0 4.6-3 8.2-7.5 10c-4.5-1.8-7.5-5.4-7.5-10V5.5ZM8.4 11.8l2.6 2.6l4.8-4.9",
}
_COLOURS: Final[Mapping[str, str]] = {
    "failed": "bad",
    "violation": "bad",
    "blocked": "bad",
    "undecided": "ask",
    "advisory": "warn",
    "could-not-run": "warn",
    "waived": "hold",
    "met": "good",
    "passed": "good",
    "off": "none",
    "not applicable": "none",
}
_MARKS: Final[Mapping[str, str]] = {
    "violation": "failed",
    "blocked": "failed",
    "passed": "met",
    "could-not-run": "advisory",
}


def colour(of: str) -> str:
    """Return the class that gives an outcome, a sort or a standing its colours."""
    return f"is-{_COLOURS.get(of, 'none')}"


def mark(of: str) -> Markup:
    """Draw the mark of an outcome, a sort or a standing; whoever uses it says the word beside it."""
    path = _PATHS[_MARKS.get(of, of)]
    return element(
        "svg",
        element("path", d=path),
        viewBox="0 0 24 24",
        class_="mark",
        aria_hidden="true",
        focusable="false",
    )


def badge(of: str, words: str = "") -> Markup:
    """Return a word with its mark and colours."""
    return element("span", mark(of), words or of, class_=f"badge {colour(of)}")


def bar(parts: Iterable[tuple[str, int]], words: str) -> Markup:
    """Draw a bar of parts.

    Args:
        parts: what each part is (an outcome, a sort or a standing) and its size.
        words: what the bar says.
    """
    sized = [(of, size) for of, size in parts if size > 0]
    total = sum(size for _, size in sized)
    rects: list[Markup] = []
    start = 0.0
    for of, size in sized:
        width = size * 100 / total
        rects.append(
            element("rect", x=f"{start:.3f}", y="0", width=f"{width:.3f}", height="8", class_=colour(of))
        )
        start += width
    return element(
        "svg",
        *rects,
        viewBox="0 0 100 8",
        preserveAspectRatio="none",
        class_="bar",
        role="img",
        aria_label=words,
    )


def share_words(share: Share, noun: str) -> str:
    """Say a share in words: `9 of 11 controls hold`."""
    return f"{share.holds:,} of {share.of:,} {noun}" if share.of else f"no {noun}"


def percent(share: Share) -> str:
    """Write a share's percentage; of nothing there is none."""
    return "none" if share.percent is None else f"{share.percent} %"
