"""The ingestion API: ingests items and serves their status."""
