"""Stands in for the provider of any package but `aws`: it says of a resource what the program said."""
