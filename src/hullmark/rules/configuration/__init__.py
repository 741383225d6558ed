"""Rules about what a project tells hullmark: its ignores, in `hullmark.toml` and in comments."""
