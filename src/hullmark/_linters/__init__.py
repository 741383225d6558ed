"""Linters of others, run as processes beside the project's own rules."""
