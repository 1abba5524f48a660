"""Reports: the verdicts of a run, written as JSON, SARIF, JUnit XML, Markdown and HTML.

Each writer is a pure function from the verdicts to a text; `writing` puts the texts into files, `command` is
`tapgate report`.
"""
