"""What the builder refuses in the flags and the arguments of an instruction.

Judged is what is certain: a value that holds a variable which nothing in the file sets may be anything.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from hullmark._dockerfile import mounts
from hullmark._dockerfile.expansion import BadWord, expand
from hullmark._dockerfile.statements import FLAGS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hullmark._dockerfile.statements import Problems, Statement
    from hullmark.model.dockerfile import Flag

WHOLE = frozenset({"STOPSIGNAL", "USER", "WORKDIR"})
"""Instructions whose value is one word, whatever blanks are in it."""
_SWITCHES = frozenset({"keep-git-dir", "link", "parents", "unpack"})
_REPEATED = frozenset({"device", "exclude", "mount"})
_UNITS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|ms|s|m|h)", re.ASCII)
_DURATION = re.compile(rf"[+-]?(?:0|(?:{_PART.pattern})+)", re.ASCII)
_SHORTEST = 10**6
_RETRIES = re.compile(r"[+-]?[0-9]+")
_MOST_RETRIES = 2**31 - 1
_CHECKSUM = re.compile(r"sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}")
_PLATFORM = re.compile(r"[\w.-]+(\([\w.-]*\))?(/[\w.-]+){0,2}", re.ASCII)
_PORTS = re.compile(r"([0-9]+)(?:-([0-9]+))?")
_LAST_PORT = 65535
_SIGNAL = re.compile(
    r"(SIG)?(ABRT|ALRM|BUS|CHLD|CLD|CONT|FPE|HUP|ILL|INT|IO|IOT|KILL|PIPE|POLL|PROF|PWR|QUIT|SEGV|STKFLT|STOP|SYS"
    r"|TERM|TRAP|TSTP|TTIN|TTOU|URG|USR1|USR2|VTALRM|WINCH|XCPU|XFSZ"
    r"|RTMIN(\+([1-9]|1[0-5]))?|RTMAX(-([1-9]|1[0-4]))?)",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[+-]?0*[1-9][0-9]*")


def check(statement: Statement, variables: Mapping[str, str], problems: Problems, *, escape: str) -> None:
    """Notes in `problems` what the builder would refuse in `statement`, given the `variables` known there."""
    seen: set[str] = set()
    for flag in statement.flags:
        if flag.name not in FLAGS.get(statement.keyword, ()):
            continue  # said already
        wrong = _repeated(flag, seen) or _flag(statement, flag)
        if wrong is not None:
            problems.add((flag.span.line, flag.span.column), *wrong)
    match statement.keyword:
        case "COPY" | "ADD" | "USER" | "WORKDIR" | "VOLUME" | "EXPOSE" | "STOPSIGNAL":
            for text, place in _words(statement):
                try:
                    found = expand(text, variables, escape=escape)
                except BadWord as error:
                    problems.add(place, str(error), "a closed and valid word")
                    continue
                wrong = None if found.unresolved else _argument(statement.keyword, found.text)
                if wrong is not None:
                    problems.add(place, *wrong)
            if statement.keyword == "VOLUME" and statement.json == ():
                problems.add(statement.value_place, "VOLUME without a path", "a path")
        case _:
            pass


def _words(statement: Statement) -> Iterator[tuple[str, tuple[int, int]]]:
    """The words that the builder expands one by one, and where they stand; here-documents are none."""
    if statement.json is not None:
        for each in statement.elements:
            yield each.text, each.place(0)
        return
    text = statement.source.text
    ranges = statement.words()
    if statement.keyword in WHOLE and ranges:
        ranges = [(statement.start, statement.end)]
    for start, end in ranges:
        if not any(low < end and start < high for low, high in statement.openings):
            yield text[start:end], statement.source.place(start)


def _repeated(flag: Flag, seen: set[str]) -> tuple[str, str] | None:
    if flag.name in seen and flag.name not in _REPEATED:
        return f"a second --{flag.name}", "each flag once"
    seen.add(flag.name)
    return None


def _flag(statement: Statement, flag: Flag) -> tuple[str, str] | None:
    """What is wrong with a flag, and what is expected."""
    value = flag.value
    if flag.name in _SWITCHES:
        good = value is None or value.lower() in ("true", "false")
        return None if good else (f"--{flag.name}={value}", f"--{flag.name}, or true or false behind it")
    if value is None:
        return f"--{flag.name} without a value", f"--{flag.name}=..."
    expected = None
    match flag.name:
        case "mount":
            return mounts.problem(value)
        case "network" if value not in ("default", "none", "host"):
            expected = "default, none or host"
        case "checksum" if value and "$" not in value and not _CHECKSUM.fullmatch(value):
            expected = "sha256: and 64 digits"
        case "platform" if value and "$" not in value and not _PLATFORM.fullmatch(value):
            expected = "for example linux/amd64"
        case "interval" | "timeout" | "start-period" | "start-interval" if _is_healthy(statement):
            expected = _duration(value)
        case "retries" if _is_healthy(statement) and value and not _counts(value):
            expected = "a number that is not negative"
        case _:
            pass
    return None if expected is None else (f"--{flag.name}={value}", expected)


def _is_healthy(statement: Statement) -> bool:
    """Whether a HEALTHCHECK has a command; without one its flags are not looked at."""
    return statement.value[:4].upper() != "NONE"


def _counts(value: str) -> bool:
    return _RETRIES.fullmatch(value) is not None and 0 <= int(value[:20]) <= _MOST_RETRIES


def _duration(value: str) -> str | None:
    """What is expected instead of `value`, if that is no duration a HEALTHCHECK may have."""
    if not value:
        return None
    if not _DURATION.fullmatch(value):
        return "a duration such as 30s"
    total = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(value))
    good = total == 0 or (total >= _SHORTEST and not value.startswith("-"))
    return None if good and total < 2**63 else "a duration of at least 1ms"


def _argument(keyword: str, text: str) -> tuple[str, str] | None:
    """What is wrong with a word after its variables are replaced, and what is expected."""
    match keyword:
        case "VOLUME" if not text.strip():
            return "VOLUME with an empty path", "a path"
        case "STOPSIGNAL" if not (_SIGNAL.fullmatch(text) or _NUMBER.fullmatch(text)):
            return f"STOPSIGNAL {text}", "a signal such as SIGTERM"
        case "EXPOSE":
            for each in text.split():
                if not _is_port(each):
                    return f"EXPOSE {each}", "a port such as 8080 or 8080/udp, up to 65535"
        case _:
            pass
    return None


def _is_port(text: str) -> bool:
    """Whether `text` is `[[address:]port:]port[/protocol]`, each port possibly a range."""
    ports, *protocol = text.split("/")
    if protocol and protocol[0].lower() not in ("", "tcp", "udp", "sctp"):
        return False
    before, _, container = ports.rpartition(":")
    address, colon, host = before.rpartition(":")
    inside, outside = _range(container), _range(host)
    if inside is None or (host and outside is None) or (colon and not _is_address(address)):
        return False
    return outside is None or inside[0] == inside[1] or outside[1] - outside[0] == inside[1] - inside[0]


def _range(text: str) -> tuple[int, int] | None:
    match = _PORTS.fullmatch(text)
    if match is None or any(len(each or "") > 10 for each in match.groups()):  # noqa: PLR2004  # no port
        return None
    first, last = int(match[1]), int(match[2] or match[1])
    return (first, last) if first <= last <= _LAST_PORT else None


def _is_address(text: str) -> bool:
    if not text:
        return True
    try:
        ipaddress.ip_address(text.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True
