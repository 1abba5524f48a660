"""The HTML report: a view model (`view`), templates that show it, and what renders them (`html`)."""

from __future__ import annotations

from tapgate.reports.page.html import to_html

__all__ = ["to_html"]
