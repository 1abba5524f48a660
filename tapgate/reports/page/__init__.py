"""The HTML report: one self-contained page, without scripts and without anything from elsewhere."""

from __future__ import annotations

from tapgate.reports.page.document import to_html

__all__ = ["to_html"]
