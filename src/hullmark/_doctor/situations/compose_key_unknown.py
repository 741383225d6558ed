"""The Compose file has a key that there is not.

What it looks like
    `services.web Additional property healtcheck is not allowed`, `(root) Additional property ... is not allowed`.

Why it happens
    The key is misspelt, is one level too high or too low, or belongs to a newer version of Compose than the one that
    is installed.

What to do
    Correct it, or update Compose.

        docker compose version
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.errors import nearest
from hullmark.model.diagnosis import Advice, Remedy

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom

KEYS = (
    *(
        "build",
        "cap_add",
        "cap_drop",
        "command",
        "configs",
        "container_name",
        "depends_on",
        "deploy",
        "develop",
    ),
    *("devices", "dns", "entrypoint", "env_file", "environment", "expose", "extends", "extra_hosts"),
    *("healthcheck", "hostname", "image", "init", "labels", "logging", "mem_limit", "networks", "platform"),
    *("ports", "privileged", "profiles", "pull_policy", "read_only", "restart", "secrets", "security_opt"),
    *("services", "shm_size", "stop_grace_period", "stop_signal", "tmpfs", "ulimits", "user", "volumes"),
    *("working_dir", "name", "include", "test", "interval", "timeout", "retries", "start_period", "context"),
    *("dockerfile", "target", "args", "cache_from", "additional_contexts"),
)


@situation(
    summary="the Compose file has a key that there is not",
    patterns=(
        r"(?:^|: )(?P<where>[\w().-]+) [Aa]dditional propert(?:y|ies) '?(?P<key>[\w.-]+)'?(?: is| are)? not allowed",
        r"additional properties '(?P<key>[^']+)' not allowed",
    ),
    since="0.1",
)
def compose_key_unknown(symptom: Symptom) -> Advice | None:
    key, where = symptom.get("key"), symptom.get("where", "the file")
    near = nearest(key, KEYS)
    return Advice(
        cause=f"`{where}` may have no key `{key}`{f'; `{near}` may be meant' if near else ''}",
        remedies=(
            Remedy(text="correct it, or move it to where it belongs"),
            Remedy(text="see which version of Compose reads it", command=("docker", "compose", "version")),
        ),
    )
