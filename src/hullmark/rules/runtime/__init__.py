"""Rules about running services."""
