"""The `hullmark.toml` that is proposed: what it takes from what is known, and that it can always be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullmark._settings import load_settings
from hullmark._settings.candidates import Candidate
from hullmark._settings.proposal import budget, propose
from hullmark.model.probe import HttpProbe, TcpProbe
from hullmark.model.project import AnyUser, NonRoot
from hullmark.model.size import parse_size

if TYPE_CHECKING:
    from pathlib import Path

    from hullmark.model.project import Settings


def _read(tmp_path: Path, *candidates: Candidate, **options: Any) -> Settings:
    (tmp_path / "hullmark.toml").write_text(propose(candidates, **options), encoding="utf-8")
    return load_settings(tmp_path, {})


def _web(**more: Any) -> Candidate:
    return Candidate(**{"name": "web", "built": True, **more})


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        ("CMD curl -f http://localhost:8001/health || exit 1", ("http", 8001, "/health")),
        ("CMD-SHELL wget -qO- http://127.0.0.1/ready?full=1", ("http", 80, "/ready?full=1")),
        ("CMD python3 -c \"urlopen('https://localhost:8443/x', timeout=4)\"", ("https", 8443, "/x")),
        ("CMD curl http://[::1]:3000", ("http", 3000, "/")),
        ("CMD curl http://localhost:${PORT}/health", None),
        ("CMD curl http://example.org/", None),
        ("CMD curl http://localhost:99999/", None),
        ("CMD pg_isready -q", None),
        (None, None),
    ],
)
def test_a_health_check_becomes_the_probe_that_asks_the_same(
    tmp_path: Path, check: str | None, expected: tuple[str, int, str] | None
) -> None:
    probes = _read(tmp_path, _web(health_check=check)).service("web").probes
    if expected is None:
        assert probes == ()
        return
    (probe,) = probes
    assert isinstance(probe, HttpProbe)
    scheme = "http" if probe.tls == "off" else "https"
    assert (scheme, probe.port, probe.path) == expected


def test_a_published_port_that_nothing_asks_for_becomes_a_tcp_probe(tmp_path: Path) -> None:
    probes = (
        _read(tmp_path, _web(ports=(80, 8001), health_check="curl http://localhost:8001/"))
        .service("web")
        .probes
    )
    assert [probe.port for probe in probes if isinstance(probe, TcpProbe)] == [80]


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ("app", NonRoot()),
        ("1000:1000", NonRoot()),
        ("", AnyUser()),
        ("0:0", AnyUser()),
        ("root", AnyUser()),
        (None, AnyUser()),
    ],
)
def test_a_user_is_asked_for_where_the_image_has_one(
    tmp_path: Path, user: str | None, expected: object
) -> None:
    assert _read(tmp_path, _web(user=user)).service("web").user == expected


def test_a_budget_is_the_size_and_some_room(tmp_path: Path) -> None:
    found = _read(tmp_path, _web(size=100_000_001)).service("web").budget
    assert found is not None
    assert found.size == 111_000_000
    assert _read(tmp_path, _web()).service("web").budget is None
    # A budget of nothing is none that a configuration may have.
    assert budget(0) == budget(1) == "1 kB"


@pytest.mark.parametrize(
    ("size", "headroom", "expected"),
    [
        (999_000, 0, "999 kB"),
        (999_001, 0, "1.0 MB"),
        (60_100, 10, "67 kB"),
        (1_500_001, 20, "1.9 MB"),
        (9_900_000, 0, "9.9 MB"),
        (9_900_001, 0, "10 MB"),
        (10_000_001, 0, "11 MB"),
    ],
)
def test_the_rounding_of_a_budget_fits_its_size(size: int, headroom: int, expected: str) -> None:
    assert budget(size, headroom) == expected
    assert parse_size(expected) * 100 >= size * (100 + headroom)


def test_services_are_linked_to_whom_they_wait_for_and_whose_address_they_have(tmp_path: Path) -> None:
    settings = _read(
        tmp_path,
        _web(
            depends_on=("api", "migrate"),
            environment=(
                ("API", "http://api:8001/v1"),
                ("DATABASE_URL", "postgresql://me:secret@db/app"),
                ("ELSEWHERE", "https://example.org"),
                ("CACHE", "redis://cache:6380/0"),
                ("QUEUE_HOST", "queue"),
                ("QUEUE_PORT", "5672"),
                ("BROKER", "queue:9092"),
                ("SELF", "http://web:3000"),
            ),
        ),
        Candidate(name="api", built=True, health_check="curl http://localhost:8001/health"),
        Candidate(name="db", built=False),
        Candidate(name="cache", built=False),
        Candidate(name="queue", built=False),
        Candidate(name="migrate", built=True, one_shot=True, depends_on=("db",), exposed=(1,)),
    )
    assert sorted((link.from_service, link.to) for link in settings.links) == [
        ("web", "http://api:8001/health"),
        ("web", "tcp://cache:6380"),
        ("web", "tcp://db:5432"),
        ("web", "tcp://queue:5672"),
        ("web", "tcp://queue:9092"),
    ]


def test_no_password_of_an_address_is_written_down(tmp_path: Path) -> None:
    _read(
        tmp_path, _web(environment=(("D", "amqp://me:hunter2@queue"),)), Candidate(name="queue", built=False)
    )
    assert "hunter2" not in (tmp_path / "hullmark.toml").read_text("utf-8")


def test_compose_files_are_named_where_the_usual_ones_do_not_do(tmp_path: Path) -> None:
    settings = _read(tmp_path, _web(), compose=("a.yml", 'b"c.yml'), env_file=".env.test")
    assert (settings.compose, settings.env_file) == (("a.yml", 'b"c.yml'), ".env.test")
    assert "[project]" not in propose([_web()])


_NAMES = st.from_regex(r"[a-zA-Z0-9._-]{1,12}", fullmatch=True)
_PORT = st.integers(1, 65535)


@given(
    st.lists(
        st.builds(
            Candidate,
            name=_NAMES,
            built=st.booleans(),
            ports=st.lists(_PORT, max_size=2).map(tuple),
            exposed=st.lists(_PORT, max_size=2).map(tuple),
            health_check=st.none()
            | st.text(max_size=20).map(lambda text: f"curl http://localhost:1{text}/{text}"),
            user=st.none() | st.text(max_size=8),
            size=st.none() | st.integers(1, 10**12),
            depends_on=st.lists(_NAMES, max_size=2).map(tuple),
            environment=st.lists(
                st.tuples(_NAMES, st.text(max_size=8) | _NAMES.map("http://{}".format)), max_size=2
            ).map(tuple),
            one_shot=st.booleans(),
        ),
        max_size=4,
    )
)
def test_whatever_is_known_the_file_can_be_read(
    tmp_path_factory: pytest.TempPathFactory, candidates: list[Candidate]
) -> None:
    _read(tmp_path_factory.mktemp("proposed"), *candidates)


def test_a_host_has_its_port_in_a_variable_beside_it_or_by_its_protocol_or_of_its_own(tmp_path: Path) -> None:
    settings = _read(
        tmp_path,
        _web(
            environment=(
                ("ALCHEMY", "postgresql+asyncpg://db/app"),
                ("CACHE_SERVER", "cache"),
                ("CACHE_PORT", "6390"),
                ("SQL_HOST", "sql"),
                ("SQL_CONNECTION", "mysql"),
                ("api_addr", "api"),
                ("NOWHERE_HOST", "silent"),
                ("IMAGE_HOST", "api"),
                ("DOCUMENTS", "mongodb+srv://silent/x"),
            )
        ),
        Candidate(name="api", built=True, exposed=(8001,)),
        *(Candidate(name=name, built=False) for name in ("db", "cache", "sql", "silent")),
    )
    assert sorted(link.to for link in settings.links) == [
        "tcp://api:8001",
        "tcp://cache:6390",
        "tcp://db:5432",
        "tcp://sql:3306",
    ]


def test_what_could_not_be_turned_into_a_probe_or_a_link_is_told_without_what_may_be_secret() -> None:
    text = propose(
        [
            _web(
                ports=(8080, 9090),
                depends_on=("queue",),
                environment=(
                    ("STORE", "https://me:hunter2@store.example.org/x?key=hunter2"),
                    ("HERE", "http://localhost:8080"),
                    ("MAIL_HOST", "mail.example.org"),
                    ("BROKER", "odd://queue/x"),
                ),
            ),
            Candidate(
                name="queue", built=False, exposed=(), health_check="CMD-SHELL P=hunter2 /bin/ask -p hunter2"
            ),
            Candidate(name="db", built=False, health_check='CMD ["pg_isready"]', exposed=(5432,)),
            Candidate(name="idle", built=False, exposed=(1, 2)),
            _web(name="post", health_check="CMD curl -X POST http://localhost:80/login", ports=(80,)),
            Candidate(name="off", built=False, health_check="NONE", ports=(7,)),
        ]
    )
    assert "hunter2" not in text
    told = [
        line
        for line in text.splitlines()
        if line.startswith("# ") and "budget" not in line and "user" not in line
    ]
    assert told[2:] == [
        "# db, of which nothing is asked:",
        "# its health check runs `pg_isready`, which is no plain HTTP request, so that no probe was made of it",
        "# idle, of which nothing is asked:",
        "# ports 1, 2: no probe, as it has no health check and publishes no port",
        "# port 7: no health check says what is to be asked there, so that only a connection is made",
        "# its health check runs `curl`, which sends more than a plain GET, so that no probe was made of it",
        "# queue, of which nothing is asked:",
        "# its health check runs `ask`, which is no plain HTTP request, so that no probe was made of it",
        "# ports 8080, 9090: no health check says what is to be asked there, so that only a connection is made",
        "# No link was made of",
        "# - web waits for queue, of which nothing says a port",
        "# - web: STORE leads to store.example.org, which is no service",
        "# - web: MAIL_HOST leads to mail.example.org, which is no service",
        "# - web: BROKER leads to queue, and nothing says a port",
    ]
    assert "http =" not in text
