"""Reads an HTML page strictly: every element closed, every attribute quoted, and what accessibility asks."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

VOID = {"meta", "br", "input"}
TEXT_ONLY = {"style", "title"}


@dataclass
class Node:
    """An element."""

    tag: str
    attributes: dict[str, str]
    parent: Node | None = None
    children: list[Node | str] = field(default_factory=list["Node | str"])

    def walk(self) -> Iterator[Node]:
        """This element and all inside it, in the order of the document."""
        yield self
        for child in self.children:
            if isinstance(child, Node):
                yield from child.walk()

    def all(self, *tags: str) -> list[Node]:
        return [node for node in self.walk() if node.tag in tags]

    def one(self, tag: str) -> Node:
        (node,) = self.all(tag)
        return node

    def by_id(self, name: str) -> Node:
        (node,) = [node for node in self.walk() if node.attributes.get("id") == name]
        return node

    @property
    def text(self) -> str:
        """The words, as a screen reader would run them together."""
        return "".join(child if isinstance(child, str) else child.text for child in self.children)

    @property
    def words(self) -> str:
        """The text of the parts, one space between them."""
        parts = (child if isinstance(child, str) else child.words for child in self.children)
        return " ".join(" ".join(parts).split())

    def inside(self, tag: str) -> bool:
        """Whether this is in an element of that tag."""
        return self.parent is not None and (self.parent.tag == tag or self.parent.inside(tag))


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("#document", {})
        self.open = self.root

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        raw = self.get_starttag_text() or ""
        # Written as `<tag name="value" …>` and in no other way.
        assert re.fullmatch(r'<[A-Za-z][A-Za-z0-9]*(?: [A-Za-z-]+="[^"<>]*")*/?>', raw), raw
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names), raw
        node = Node(tag, {name: value or "" for name, value in attrs}, self.open)
        self.open.children.append(node)
        if tag not in VOID and not raw.endswith("/>"):
            self.open = node

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.tag == tag, f"</{tag}> closes <{self.open.tag}>"
        assert self.open.parent is not None
        self.open = self.open.parent

    def handle_data(self, data: str) -> None:
        self.open.children.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"comment {data!r}")

    def handle_decl(self, decl: str) -> None:
        assert decl == "doctype html"

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(data)

    def handle_pi(self, data: str) -> None:
        raise AssertionError(data)


def read_page(html: str) -> Node:
    """Read a page; fails on anything that a browser would have to guess at."""
    builder = _Builder()
    builder.feed(html)
    builder.close()
    assert builder.open is builder.root, f"<{builder.open.tag}> is never closed"
    return builder.root


def check_accessible(page: Node) -> None:
    """Check what can be checked without a browser of WCAG 2.2: structure, names, references."""
    assert page.one("html").attributes["lang"] == "en"
    assert page.one("title").text.strip()
    _check_landmarks(page)
    _check_headings(page)
    _check_references(page)
    for table in page.all("table"):
        assert table.one("caption").text.strip()
        assert all(cell.attributes.get("scope") in {"row", "col"} for cell in table.all("th"))
        rows = [len([c for c in row.children if isinstance(c, Node)]) for row in table.all("tr")]
        assert len(set(rows)) == 1
    for drawing in page.all("svg"):
        hidden = drawing.attributes.get("aria-hidden") == "true"
        named = drawing.attributes.get("role") == "img" and drawing.attributes.get("aria-label", "").strip()
        assert hidden != bool(named)
    for link in page.all("a"):
        assert link.text.strip(), link.attributes
    for box in page.all("input"):
        assert box.attributes["type"] == "checkbox"
        assert box.parent is not None
        assert box.parent.tag == "label"
        assert box.parent.text.strip()
    for summary in page.all("summary"):
        assert summary.parent is not None
        assert summary.parent.tag == "details"
        assert summary.text.strip()
    for region in page.walk():
        if region.attributes.get("role") == "region":
            assert region.attributes["aria-label"].strip()
            assert region.attributes["tabindex"] == "0"


def _check_landmarks(page: Node) -> None:
    for landmark in ("main", "nav", "footer"):
        assert len(page.all(landmark)) == 1
    assert page.one("nav").attributes["aria-label"]
    body = page.one("body")
    first = body.all("a")[0]
    assert first.attributes["class"] == "skip"
    assert any(one.attributes.get("id") == first.attributes["href"][1:] for one in page.one("main").walk())


def _check_headings(page: Node) -> None:
    levels = [int(node.tag[1]) for node in page.all("h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert all(node.text.strip() for node in page.all("h1", "h2", "h3"))


def _check_references(page: Node) -> None:
    ids = [node.attributes["id"] for node in page.walk() if "id" in node.attributes]
    assert len(set(ids)) == len(ids)
    for link in page.all("a"):
        target = link.attributes["href"]
        if target.startswith("#"):
            assert target[1:] in ids, target
