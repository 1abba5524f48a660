"""The ingestion API: takes items in, and tells what became of them."""
