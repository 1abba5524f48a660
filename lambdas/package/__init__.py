"""Builds the functions' zips: `python -m lambdas.package`."""
