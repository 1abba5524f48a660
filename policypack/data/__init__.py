"""Generates the tables of AWS's data that the pack evaluates by; the pack itself never imports this.

`nox -s data` writes `tap_guardrails/aws/tables/`, and `nox -s data -- --check` fails where they differ from
what their sources say. Each table names its sources with their versions.
"""
