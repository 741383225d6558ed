"""What changed between two revisions, or between one and the work tree, as git tells it.

A base that is not there for a good reason (the first push, a force push) means that everything counts as changed. A
base that is not there because the history was cut off is fetched, and where that cannot be, the error says how to get
it: to take a part of the history for all of it would miss changes.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from hullmark._ci.meanwhile import Meanwhile
from hullmark._ci.worktree import (
    has_modes,
    ignored_in_submodules,
    listed,
    looking_at,
    not_as_committed,
)
from hullmark.errors import Unavailable, UsageError, nearest
from hullmark.model.affected import Change, ChangeKind, Changes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._ci.repository import Repository
    from hullmark.model.affected import Uncompared

_ZEROS = re.compile(r"0{40}|0{64}")
_OBJECT_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_STEPS = (50, 500, 5000)
"""By how many commits a history that was cut off is lengthened before all of it is fetched."""
_FETCH_HINT = "fetch the whole history: `fetch-depth: 0` for actions/checkout, or `git fetch --unshallow`"
_CLONE_HINT = "take a clone with the whole history: `fetch-depth: 0` for actions/checkout, or `git clone` without `--depth`"
_FETCH_SECONDS = 600.0
_STEPS_BACK = re.compile(r"(?P<start>[^~^]+)(?P<steps>[~^].*)")
"""A revision that is reached from another one; no name of a branch or tag has these characters."""
_STRAIGHT_BACK = re.compile(r"(?:~[0-9]*|\^1?)+")
_UNREADABLE_REMOTE = "could not read from remote repository"
"""The end of what git says for every reason why a remote does not answer."""
_COMPARE = ("diff", "--raw", "-z", "-M", "--no-ext-diff", "--no-textconv", "--ignore-submodules=none")
_LINK, _SUBMODULE = "120000", "160000"
_LISTED = 6
"""References that are listed where none is like the one that was asked for, the latest first."""
_KINDS = {
    "A": ChangeKind.ADDED,
    "C": ChangeKind.ADDED,
    "D": ChangeKind.DELETED,
    "R": ChangeKind.RENAMED,
    "T": ChangeKind.TYPE,
}
_FIRST = "no commit to compare with was given"


def changes(repository: Repository, base: str, head: str | None = None) -> Changes:
    """What differs between the point where `base` and `head` part and `head`.

    Without `head` the work tree is compared, with all that is not committed and all that is new and not ignored.
    Raises `UsageError` for a revision that there is not, and `Unavailable` when the history is cut off before the
    point where they part and the rest cannot be fetched.
    """
    tip = _commit(repository, head) if head is not None else None
    if head is not None and tip is None:
        raise _unknown(repository, head)
    if not base.strip() or _ZEROS.fullmatch(base):
        return Changes(base=None, head=tip, everything=_FIRST)
    start = tip or repository.head
    if start is None:
        return Changes(base=None, head=tip, everything="the repository has no commit yet")
    found = (start if base == "HEAD" and tip is None else _commit(repository, base)) or _fetched(
        repository, base
    )
    if found is None:
        if _OBJECT_ID.fullmatch(base):
            reason = f"the commit {base[:12]} is gone, as after a force push"
            return Changes(base=None, head=tip, everything=reason)
        raise _unknown(repository, base)
    fork = found if found == start else _fork(repository, found, start)
    if fork is None:
        reason = f"`{base}` and what is compared with it have no history in common"
        return Changes(base=None, head=tip, everything=reason)
    differing, uncompared = _between(repository, fork, tip)
    return Changes(base=fork, head=tip, changes=tuple(differing), uncompared=tuple(uncompared))


def _commit(repository: Repository, revision: str) -> str | None:
    """The id of the commit that `revision` names; `None` when there is none."""
    done = repository.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    return done.stdout.strip() if done.returncode == 0 else None


def _unknown(repository: Repository, revision: str) -> UsageError:
    parts = _STEPS_BACK.fullmatch(revision)
    start = parts and _commit(repository, parts["start"])
    if parts and start and not _is_cut(repository):
        return _beyond(repository, revision, parts, start)
    listed = repository.ask("for-each-ref", "--sort=-creatordate", "--format=%(refname:short)").split("\n")
    references = [each for each in listed if each]
    # A branch that is only known of a remote is mostly meant by its own name.
    names = {each.partition("/")[2] or each: each for each in reversed(references)}
    names |= {each: each for each in ("HEAD", *references)}
    meant = nearest(revision, names)
    cut = " in this part of the history" if repository.shallow else ""
    hint = f"did you mean `{names[meant]}`?" if meant else None
    if hint is None and repository.shallow:
        hint = _FETCH_HINT
    return UsageError(f"git knows no revision `{revision}`{cut}", hint=hint or _those_it_knows(references))


def _beyond(repository: Repository, revision: str, parts: re.Match[str], start: str) -> UsageError:
    """Says that nothing is where the steps from `start` lead, although all of the history is there."""
    name = parts["start"]
    if not _STRAIGHT_BACK.fullmatch(parts["steps"]):
        return UsageError(
            f"git knows `{name}`, but nothing that is reached from it as `{revision}`",
            hint=f"`git log --graph {name}` shows what it comes from",
        )
    number = int(repository.ask("rev-list", "--count", "--first-parent", start))
    commits = f"{number} commit{'' if number == 1 else 's'}"
    furthest = f"`{name}~{number - 1}`" if number > 1 else f"`{name}` itself"
    return UsageError(
        f"the history of `{name}` is not as long as `{revision}` asks for: it has {commits}",
        hint=f"the first of them is {furthest}",
    )


def _is_cut(repository: Repository) -> bool:
    """Whether the history is cut off by now; it may have been fetched since the repository was found."""
    return repository.shallow and repository.ask("rev-parse", "--is-shallow-repository").strip() == "true"


def _those_it_knows(references: list[str]) -> str:
    if not references:
        return "the repository has no branch and no tag yet"
    more = f", and {len(references) - _LISTED} more" if len(references) > _LISTED else ""
    return f"it knows {', '.join(f'`{each}`' for each in references[:_LISTED])}{more}"


def _fetched(repository: Repository, base: str) -> str | None:
    """The commit `base`, fetched into a history that was cut off."""
    if not repository.shallow:
        return None
    parts = _STEPS_BACK.fullmatch(base)
    if parts:
        return _stepped_back(repository, base, parts)
    remote, name = _remote(repository, base)
    if remote is None:
        raise _no_remote(base)
    done = repository.run(
        *("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--end-of-options", remote, name),
        timeout=_FETCH_SECONDS,
    )
    if done.returncode == 0:
        return _commit(repository, "FETCH_HEAD")
    if re.search(r"not our ref|couldn't find remote ref|unadvertised object|invalid refspec", done.stderr):
        # Asked and answered: the remote has not got it either.
        return None
    raise _cut_off(base, done.stderr)


def _stepped_back(repository: Repository, base: str, parts: re.Match[str]) -> str | None:
    """The commit `base`, which some steps from another lead to; the history is lengthened until they do."""
    start = _commit(repository, parts["start"]) or _fetched(repository, parts["start"])
    if start is None:
        return None
    wanted = f"{start}{parts['steps']}"
    remote, _ = _remote(repository, base)
    found = _commit(repository, wanted)
    if found is None and remote is None:
        raise _no_remote(base)
    if found is None and remote is not None:
        for _ in _lengthened(repository, remote, base, start):
            found = _commit(repository, wanted)
            if found is not None:
                break
    return found


def _no_remote(base: str) -> Unavailable:
    return Unavailable(
        f"`{base}` is not in this clone, whose history is cut off, and there is no remote to fetch it from",
        hint=_CLONE_HINT,
    )


def _remote(repository: Repository, revision: str) -> tuple[str | None, str]:
    """The remote to ask for `revision`, and what it is called there."""
    remotes = repository.ask("remote").split()
    for remote in remotes:
        if revision.startswith(f"{remote}/"):
            return remote, revision.removeprefix(f"{remote}/")
    return ("origin" if "origin" in remotes else remotes[0] if remotes else None), revision


def _cut_off(base: str, said: str) -> Unavailable:
    return Unavailable(
        f"the history of this clone is cut off before `{base}`, and the rest cannot be fetched: {_cause(said)}",
        hint=_FETCH_HINT,
    )


def _cause(said: str) -> str:
    """The line in which git names the cause; general advice comes after it."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if _UNREADABLE_REMOTE not in line.lower()]
    named = [line for line in telling if line.lower().startswith(("fatal:", "error:"))]
    cause = next(iter((*named, *telling, *lines)), "it does not answer")
    return re.sub(r"^(?:fatal|error):\s*", "", cause, flags=re.IGNORECASE)


def _fork(repository: Repository, base: str, head: str) -> str | None:
    """Where the two histories part; `None` when they have nothing in common.

    A history that was cut off is lengthened until that is known.
    """
    done = repository.run("merge-base", base, head)
    if done.returncode == 0:
        return done.stdout.split()[0]
    if not repository.shallow:
        return None
    remote, _ = _remote(repository, base)
    if remote is None:
        raise _no_remote(base)
    for _ in _lengthened(repository, remote, base, base, head):
        done = repository.run("merge-base", base, head)
        if done.returncode == 0:
            return done.stdout.split()[0]
    return None


def _lengthened(repository: Repository, remote: str, asked: str, *tips: str) -> Iterator[None]:
    """Lengthens the history before `tips`, a step at a time, until all of it is there.

    Raises `Unavailable`, which names the revision that was `asked` for, when the remote does not hand it out.
    """
    for step in (*(f"--deepen={number}" for number in _STEPS), "--unshallow"):
        fetched = repository.run(
            *("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", step, remote, *tips),
            timeout=_FETCH_SECONDS,
        )
        if fetched.returncode != 0:
            # A server may not hand out single commits; what it hands out by itself is tried then.
            fetched = repository.run("fetch", "--quiet", "--no-tags", step, remote, timeout=_FETCH_SECONDS)
        if fetched.returncode != 0:
            raise _cut_off(asked, fetched.stderr)
        yield
        if not _is_cut(repository):
            break


def _between(repository: Repository, base: str, head: str | None) -> tuple[list[Change], list[Uncompared]]:
    """What differs, and what git says nothing of."""
    if head is None:
        found, uncompared = _uncommitted(repository, base)
    else:
        with Meanwhile(lambda: listed(repository)) as listing:
            found = list(_read(repository.records(*_COMPARE, base, head, "--")))
            uncompared = [*listing.result().ignored, *ignored_in_submodules(repository)]
    return sorted(found, key=lambda change: (change.path, change.old or "")), uncompared


def _uncommitted(repository: Repository, base: str) -> tuple[list[Change], list[Uncompared]]:
    """What differs in the work tree, and what git takes for unchanged there although it may not be."""
    modes = ("-c", "core.fileMode=true") if has_modes(repository) else ()
    compare = (*modes, *_COMPARE, base, "--")
    with Meanwhile(lambda: listed(repository)) as listing:
        found = list(_read(repository.records(*compare)))
        tree = listing.result()
    if tree.hidden:
        with looking_at(repository, tree.hidden) as index:
            found = list(_read(repository.records(*compare, index=index)))
    known = {each.path for each in found}
    # What git keeps no track of any more is still there, and told of as deleted.
    found += [
        Change(path=path.rstrip("/"), kind=ChangeKind.UNTRACKED, tree=path.endswith("/"))
        for path in tree.untracked
        if path.rstrip("/") not in known
    ]
    uncompared = [*not_as_committed(repository, tree), *tree.ignored, *ignored_in_submodules(repository)]
    return found, uncompared


def _read(records: list[str]) -> Iterator[Change]:
    """The changes in what `git diff --raw -z` prints."""
    pending = iter(records)
    for record in pending:
        before, after, old_id, new_id, status = record.removeprefix(":").split(" ")
        path = next(pending)
        change = Change(path=path, kind=_KINDS.get(status[0], ChangeKind.MODIFIED))
        if status[0] in "RC":
            change = replace(change, path=next(pending), old=path if status[0] == "R" else None)
        elif status[0] == "M" and before != after and old_id == new_id:
            change = replace(change, kind=ChangeKind.MODE)
        yield replace(change, tree=bool({before, after} & {_LINK, _SUBMODULE}))
