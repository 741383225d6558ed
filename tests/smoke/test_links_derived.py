"""Links that are derived: from what services wait for, and from the addresses in their environment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hullmark._smoke.links.derived import PATIENCE, derive, derived_links
from hullmark.model.location import SourceSpan
from hullmark.model.project import Link, Project, Service, Settings
from hullmark.model.stack import LinkRun, StackRun, Unlinkable

HERE = SourceSpan(path="hullmark.toml", line=1)


def _project(services: dict[str, Any], *links: Link, **settings: Any) -> Project:
    """A project as Compose resolves it."""
    return Project(
        name="tale",
        root=Path("/tale"),
        services=tuple(
            Service(
                name=name,
                image=name,
                build=None,
                span=SourceSpan(path="compose.yml", line=number),
                ports=tuple(port["target"] for port in value.get("ports") or ()),
                depends_on=tuple(
                    (other, how["condition"]) for other, how in (value.get("depends_on") or {}).items()
                ),
            )
            for number, (name, value) in enumerate(sorted(services.items()), 1)
        ),
        settings=Settings(links=links, **settings),
        resolved=json.dumps({"name": "tale", "services": services}),
    )


def _waits(*names: str, condition: str = "service_started", **more: Any) -> dict[str, Any]:
    return {"depends_on": {name: {"condition": condition} for name in names}, **more}


def _says(**variables: str | None) -> dict[str, Any]:
    return {"environment": variables}


def _published(port: int) -> dict[str, Any]:
    return {"ports": [{"target": port}]}


CHECK = {"test": ["CMD", "curl", "-f", "http://localhost:8001/health"]}


@pytest.mark.parametrize(
    ("web", "db", "image", "expected"),
    [
        # Which port a service listens on.
        (_waits("db"), {}, ((), None), []),
        (_waits("db"), {}, ((5432,), None), ["tcp://db:5432"]),
        (_waits("db"), {"expose": ["5432", "7000-7002"]}, ((), None), ["tcp://db:5432"]),
        (_waits("db"), _published(5433), ((), None), ["tcp://db:5433"]),
        (_waits("db"), _published(443), ((80, 443), None), ["tcp://db:443"]),
        (_waits("db"), {}, ((80,), "CMD curl http://127.0.0.1:8080/"), ["tcp://db:8080"]),
        (_waits("db"), {"healthcheck": CHECK}, ((80,), None), ["tcp://db:8001"]),
        (_waits("db"), {"healthcheck": {"disable": True}}, ((80,), "CMD curl http://localhost:1/"), ["tcp://db:80"]),
        # Addresses, whatever else is in the variable.
        (_says(A="postgresql://me:secret@db/app"), {}, ((), None), ["tcp://db:5432"]),
        (_says(A="http://db:8001/v1?x=http://example.org"), {}, ((), None), ["tcp://db:8001"]),
        (_says(A="db:9092,db:9093,other:1"), {}, ((), None), ["tcp://db:9092", "tcp://db:9093"]),
        (_says(DB_HOST="db", DB_PORT="5432"), {}, ((), None), ["tcp://db:5432"]),
        (_says(PGHOST="db", PGPORT="5444"), {}, ((), None), ["tcp://db:5444"]),
        (_says(DB_HOST="db", OTHER_PORT="5432"), {}, ((), None), []),
        (_says(A="db", B=None, C="custom://db/x", D="xdb:80", E="db:99999", F="db:80:80"), {}, ((), None), []),
        (_says(IMAGE="db:15", DB_PASSWORD="db:5432"), {}, ((), None), []),
        (_says(A="http://localhost:80 http://web:80"), {}, ((), None), []),
        # Each once, and first by who waits for whom.
        (_waits("db", **_says(A="http://db:80", B="db:80")), {}, ((80,), None), ["tcp://db:80"]),
        # No network between the two.
        (_waits("db", networks={"a": None}), {"networks": {"b": None}}, ((80,), None), []),
        (_waits("db", networks={"a": None}), {"networks": {"a": None, "b": None}}, ((80,), None), ["tcp://db:80"]),
        (_waits("db", network_mode="none"), {}, ((80,), None), []),
        (_waits("db", network_mode="container:vpn"), {}, ((80,), None), []),
        (_waits("db", network_mode="service:db"), {}, ((80,), None), []),
        (_waits("db", network_mode="host"), {}, ((80,), None), ["tcp://db:80"]),
        # Nobody who would call, or answer.
        (_waits("db", scale=0), {}, ((80,), None), []),
        (_waits("db"), {"scale": 0}, ((80,), None), []),
        (_waits("db", condition="service_completed_successfully"), {}, ((80,), None), []),
    ],
)  # fmt: skip
def test_what_a_service_waits_for_or_has_the_address_of_is_a_link(
    web: dict[str, Any], db: dict[str, Any], image: Any, expected: list[str]
) -> None:
    links = derive(_project({"db": db, "web": web}), {"db": image})
    assert [link.to for link in links] == expected
    assert {link.from_service for link in links} <= {"web"}
    for link in links:
        assert link.derived
        assert "secret" not in link.derived
        assert link.timeout == PATIENCE
        # Where the Compose file declares the service that calls.
        assert str(link.origin).startswith("compose.yml:2")


def test_what_is_declared_between_two_services_takes_the_place_of_what_would_be_derived() -> None:
    declared = Link(from_service="web", to="http://DB:81/health", origin=HERE)
    services = {"db": {}, "cache": {}, "web": _waits("db", "cache")}
    links = derive(_project(services, declared), {"db": ((80,), None), "cache": ((6379,), None)})
    assert [link.to for link in links] == ["tcp://cache:6379"]


def test_a_project_may_want_none() -> None:
    nobody: Any = None
    assert derived_links(_project({"web": {}}, smoke_derive_links=False), nobody) == ()


def _tally(held: tuple[bool, ...], **more: Any) -> str:
    derived = Link(from_service="web", to="tcp://db:1", origin=HERE, derived="`depends_on`")
    links = tuple(LinkRun(link=derived, passed=passed, seen="") for passed in held)
    return StackRun(name="x", links=links, **more).tally


def test_derived_links_are_counted_apart() -> None:
    none = "no probes or links are configured (`[[services.NAME.probes]]`, `[[links]]`)"
    assert _tally(()) == none
    assert _tally((True,)) == f"{none}; 1 of 1 derived link held"
    link = Link(from_service="web", to="tcp://db:1", origin=HERE)
    untried = (Unlinkable(link=link, reason=""),)
    assert _tally((True, False), untried=untried).endswith("0 of 1 link passed; 1 of 2 derived links held")
