"""A pack that ends at once."""
