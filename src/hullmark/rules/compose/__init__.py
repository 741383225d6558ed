"""Rules about what the Compose files declare of a service."""
