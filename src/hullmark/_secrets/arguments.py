"""Secrets in the words of a command: options and variables with the name of one, and logins of well-known clients."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from hullmark._secrets.names import is_named_like_secret
from hullmark._secrets.plausible import is_reference
from hullmark._secrets.variables import hidden_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_OPTION = re.compile(r"--?(?P<name>[A-Za-z][\w.-]{0,100})(?:=(?P<value>.+))?", re.DOTALL)
_VARIABLE = re.compile(r"(?P<name>[A-Za-z_]\w{0,200})=(?P<value>.+)", re.DOTALL)
_LOGIN = re.compile(r"[^:\s/]{1,64}:(?P<value>\S+)")
_WAYS = frozenset({"auth", "pat", "pass"})
"""Options that are called so say how somebody logs in, or how often."""
_BESIDE = {
    **dict.fromkeys(("mysql", "mysqldump", "mysqladmin", "mariadb", "mariadb-dump", "mariadb-admin"), "-p"),
    "sshpass": "-p",
}
"""Clients whose password stands in one word with an option."""
_NEXT = {"redis-cli": ("-a",), "sshpass": ("-p",)}
"""Clients whose password is the word behind an option."""
_USERS = {"curl": ("-u", "--user", "-U", "--proxy-user")}
"""Clients that take a user and a password in one word."""


def secrets_in_words(words: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each secret in a command, and behind what it stands; what comes from a variable is none."""
    program = ""
    flat = list(_flat(words))
    for position, word in enumerate(flat):
        name = word.rpartition("/")[2]
        if name in _BESIDE or name in _NEXT or name in _USERS:
            program = name
        following = flat[position + 1] if position + 1 < len(flat) else ""
        for option, value in _in_word(program, word, following):
            if hidden_in("PASSWORD", value) is not None and not is_reference(
                value.encode("utf-8", "replace")
            ):
                yield option, value


def _flat(words: Iterable[str]) -> Iterator[str]:
    """The words, with those of a script in one of them."""
    for word in words:
        if any(sign.isspace() for sign in word):
            try:
                yield from shlex.split(word, comments=False)
            except ValueError:  # quotes without an end
                yield from word.split()
        else:
            yield word


def _in_word(program: str, word: str, following: str) -> Iterator[tuple[str, str]]:
    given = _VARIABLE.fullmatch(word)
    option = _OPTION.fullmatch(word)
    if given is not None and is_named_like_secret(given["name"]):
        yield given["name"], given["value"]
    elif option is not None and is_named_like_secret(option["name"]) and option["name"].lower() not in _WAYS:
        value = option["value"] or ("" if following.startswith("-") else following)
        if value and _VARIABLE.fullmatch(value) is None:
            yield word.partition("=")[0], value
    elif word in _USERS.get(program, ()) and (login := _LOGIN.fullmatch(following)):
        yield f"{program} {word}", login["value"]
    elif program == "curl" and (login := re.fullmatch(rf"-u{_LOGIN.pattern}", word)):
        yield "curl -u", login["value"]
    elif word in _NEXT.get(program, ()) and following:
        yield f"{program} {word}", following
    elif (start := _BESIDE.get(program)) is not None and word.startswith(start) and len(word) > len(start):
        yield f"{program} {start}", word[len(start) :]
