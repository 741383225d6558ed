"""What is a symptom in a log and what is not, and how often it is told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hullmark._doctor import Patient, read
from hullmark._doctor.log import take_apart
from hullmark._doctor.situation import situation
from hullmark.model.verdict import Status

if TYPE_CHECKING:
    from hullmark.model.diagnosis import Reading


def _read(text: str) -> Reading:
    return read("build.log", text, Patient(directory=Path("/nowhere")))


def test_what_a_build_quotes_of_the_dockerfile_is_no_symptom() -> None:
    text = """\
#5 [builder 2/3] RUN echo "Cannot find module 'x'" && echo no space left on device
#5 0.3 fine
#5 ERROR: process "/bin/sh -c echo \\"max depth exceeded\\" && false" did not complete successfully: exit code: 1
------
 > [builder 2/3] RUN echo "Cannot find module 'x'" && echo no space left on device:
0.3 fine
------
Dockerfile:2
--------------------
   1 |     FROM debian
   2 | >>> RUN echo "no space left on device"
   3 |     RUN echo "port is already allocated"
--------------------
ERROR: failed to solve: process "/bin/sh -c echo \\"max depth exceeded\\" && false" did not complete successfully: exit code: 1
"""
    reading = _read(text)
    assert reading.diagnoses == ()
    assert reading.status is Status.UNCHECKED
    assert [number for number, _ in reading.unexplained] == [3, 14]


def test_what_a_step_printed_is_told_with_the_step_and_once_though_it_is_repeated() -> None:
    text = """\
#7 [rag builder 4/6] RUN uv pip install .
#7 1.2 curl: (6) Could not resolve host: mirror.example.com
#7 ERROR: process "/bin/sh -c uv pip install ." did not complete successfully: exit code: 6
------
 > [rag builder 4/6] RUN uv pip install .:
1.2 curl: (6) Could not resolve host: mirror.example.com
------
"""
    (found,) = _read(text).diagnoses
    assert (found.situation, found.step, found.line, found.times) == (
        "name-not-resolved",
        "rag builder 4/6",
        2,
        2,
    )
    assert found.excerpt == "#7 1.2 curl: (6) Could not resolve host: mirror.example.com"


def test_the_service_is_the_one_whose_line_it_is() -> None:
    text = "db-1   | ready\nrag-1  | ModuleNotFoundError: No module named 'six'\nmy-web-2  | Cannot find module 'x'\n"
    assert [(each.situation, each.service) for each in _read(text).diagnoses] == [
        ("python-module-missing", "rag"),
        ("node-module-missing", "my-web"),
    ]


def test_two_things_of_one_kind_are_told_apart_and_equal_ones_are_counted() -> None:
    text = "".join(
        f"ModuleNotFoundError: No module named '{name}'\n" for name in ("six", "yaml", "six", "six")
    )
    assert [(dict(each.values)["module"], each.times) for each in _read(text).diagnoses] == [
        ("six", 3),
        ("yaml", 1),
    ]


def test_what_follows_from_another_situation_is_not_told() -> None:
    text = "Temporary failure resolving 'mirror.example.com'\nE: Unable to locate package curl\n"
    assert [each.situation for each in _read(text).diagnoses] == ["name-not-resolved"]
    assert [each.situation for each in _read(text.splitlines()[1]).diagnoses] == ["apt-package-unknown"]


@pytest.mark.parametrize("text", ["", "\n\n", "   \n"])
def test_an_empty_log_is_nothing_to_check(text: str) -> None:
    assert _read(text).status is Status.NOTHING


def test_a_log_without_a_failure_is_clean() -> None:
    assert _read("Container web-1 Started\nweb-1 exited with code 0\n").status is Status.CLEAN


@pytest.mark.parametrize(
    "line",
    [
        "web-1 exited with code 3",
        "failed to solve: something that nobody has seen before",
        "Error response from daemon: teapot",
        "npm ERR! code EWEIRD",
        "Traceback (most recent call last):",
        "fatal: not a repository",
        "panic: runtime error: index out of range [5] with length 3",
        "2026/01/01 10:00:00 panic: no configuration",
        "thread 'main' panicked at src/main.rs:2:5:",
        "web-1  | 2026-01-01 FATAL: no configuration",
        "web-1  | 2026-01-01 10:00:00.123 UTC [33] FATAL:  the database system is in ruins",
        "web-1  | [FATAL] no configuration",
        "web-1  | 10:00 fatal: no configuration",
        "PHP Fatal error:  Uncaught something",
        'time="2026-01-01" level=fatal msg="no configuration"',
        '{"level":"fatal","msg":"no configuration"}',
        "java.lang.NullPointerException: x",
        "Caused by: org.example.shop.NoSuchOrderException",
        'Exception in thread "main" java.lang.IllegalStateException: x',
        "Unhandled exception. System.NullReferenceException: Object reference not set",
        "System.InvalidOperationException: x",
        "TypeError: shop is not a function",
        "web-1  | 2026-01-01 10:00:00 Traceback (most recent call last):",
    ],
)
def test_a_failure_that_is_not_known_is_shown_and_was_not_checked(line: str) -> None:
    reading = _read(f"fine\n{line}\n")
    assert reading.status is Status.UNCHECKED
    assert reading.unexplained == ((2, line),)


@pytest.mark.parametrize(
    "line",
    [
        "web-1  | checked 12 files: 0 errors, fatal=0",
        "web-1  | fatal: 0, errors: 0",
        "errors: 0",
        "error: 0",
        "FATAL=0 ERROR=0",
        "summary: 0 FATAL, 3 WARN",
        "no FATAL errors",
        "a non-fatal: retried and fine",
        "installed the unhandled exception handler",
        "found 0 unhandled exceptions",
        "recovered from panic: none",
        "panic=0",
        "compiled java.lang.NullPointerExceptionTest",
        'level=info msg="fatality rate"',
        "GET /fatal 200",
    ],
)
def test_words_that_only_sound_like_a_failure_leave_a_log_clean(line: str) -> None:
    assert _read(f"fine\n{line}\n").status is Status.CLEAN


def test_a_panic_of_go_code_is_no_crash_in_native_code() -> None:
    panic = (
        "web-1  | panic: runtime error: invalid memory address or nil pointer dereference\n"
        "web-1  | [signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x48f0c1]\n"
    )
    reading = _read(panic)
    assert reading.diagnoses == ()
    assert reading.status is Status.UNCHECKED
    assert reading.unexplained[0] == (1, panic.splitlines()[0])


@pytest.mark.parametrize(
    "line",
    [
        "SIGSEGV: segmentation violation",
        "fatal error: unexpected signal during runtime execution",
        "Got SIGSEGV",
    ],
)
def test_a_crash_of_code_that_go_calls_is_one(line: str) -> None:
    assert [each.situation for each in _read(line).diagnoses] == ["segmentation-fault"]


def test_of_many_lines_that_are_not_known_the_last_are_shown() -> None:
    reading = _read("".join(f"Error response from daemon: {n}\n" for n in range(30)))
    assert [number for number, _ in reading.unexplained] == [26, 27, 28, 29, 30]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("10%\r50%\r100% done", "100% done"),
        ("\x1b]0;title\x07text", "text"),
        ("2026-11-24T14:01:10Z text", "text"),
        ("web-1  | 2026-11-24T14:01:10.5Z text", "text"),
        ("#12 10.36 text", "text"),
        ("web-1  | ", ""),
    ],
)
def test_of_a_line_what_was_said_is_left(raw: str, said: str) -> None:
    assert take_apart(raw).text == said


def test_a_situation_is_named_after_its_function_and_its_page_is_its_module() -> None:
    @situation(summary="it is cold", patterns=("brr",), since="0.1")
    def very_cold(symptom: object) -> None:  # noqa: ARG001
        return None

    assert very_cold.id == "very-cold"
    assert very_cold.page.startswith("What is a symptom")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("/docker/start.sh: line 2: $'\\r': command not found", "missing-interpreter"),
        ("bash: ./run.sh: /bin/sh^M: bad interpreter: No such file or directory", "missing-interpreter"),
        ("-bash: /usr/bin/app: cannot execute binary file: Exec format error", "wrong-platform"),
        ("(root) Additional property servces is not allowed", "compose-key-unknown"),
        ("OSError: [Errno 98] Address already in use", "port-taken"),
        ("Error: listen EADDRINUSE: address already in use :::3000", "port-taken"),
        ("Ports are not available: exposing port TCP 0.0.0.0:5432 -> 0.0.0.0:0: listen tcp", "port-taken"),
        ("Error loading shared library libpq.so.5: No such file or directory", "shared-library-missing"),
        (
            "npm error `npm ci` can only install packages when your package.json and package-lock.json",
            "npm-lock-mismatch",
        ),
        ("EROFS: read-only file system, open '/app/cache'", "read-only-file-system"),
        (
            "x509: certificate has expired or is not yet valid: current time 2020-01-01T00:00:00Z is before 2026-01-01T00:00:00Z",
            "clock-skew",
        ),
        ("curl: (56) CONNECT tunnel failed, response 407", "proxy-refused"),
        ("error: invalid peer certificate: UnknownIssuer", "untrusted-certificate"),
        ("no matching manifest for linux/arm64/v8 in the manifest list entries", "platform-not-published"),
        (
            "COPY failed: file not found in build context or excluded by .dockerignore: stat app.py: file does not exist",
            "copied-file-missing",
        ),
        (
            "failed to set up container networking: driver failed programming external connectivity on endpoint web: Bind for 0.0.0.0:80 failed: port is already allocated",
            "port-taken",
        ),
        ('unable to prepare context: path "/srv/none" not found', "dockerfile-missing"),
        ("ERROR: Service 'web' failed to build: max depth exceeded", "too-many-layers"),
        (
            "failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct",
            "engine-unreachable",
        ),
    ],
)
def test_other_versions_of_the_tools_are_recognised(line: str, expected: str) -> None:
    assert [each.situation for each in _read(f"{line}\n").diagnoses] == [expected]


def test_a_word_without_an_end_is_read_to_its_end() -> None:
    # It is so long that what tries every beginning of it with every end would take days.
    found = _read(f"{'a' * 3_000_000}\n{'x: ' * 100_000}\nmax depth exceeded\n").diagnoses
    assert [each.line for each in found] == [3]
