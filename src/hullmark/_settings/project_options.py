"""The options that say which Compose project it is: what nearly every command takes, and little has to be loaded for."""

from __future__ import annotations

from hullmark._settings.kinds import TEXT, TEXTS, Option, Table

PROJECT = Table(
    key="project",
    help="Which Compose project this is.",
    options=(
        Option(
            key="compose",
            kind=TEXTS,
            help="Compose files, later ones over earlier ones.",
            default="what `docker compose` finds",
            environment="HULLMARK_COMPOSE",
            flag="--compose",
            example='["compose.yml"]',
        ),
        Option(
            key="env-file",
            kind=TEXT,
            help="File with variables for the Compose files.",
            default=".env when there is one",
            environment="HULLMARK_ENV_FILE",
            flag="--env-file",
            example='".env.test"',
        ),
        Option(
            key="profiles",
            kind=TEXTS,
            help="Compose profiles to enable.",
            environment="HULLMARK_PROFILES",
            flag="--profile",
        ),
    ),
)
