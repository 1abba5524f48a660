"""What both functions know about items: their form, their records, and where those are kept."""
