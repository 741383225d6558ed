"""The formats, a module for each family."""
