"""Who reads which rows in BigQuery: row access policies, made of groups and principals.

A table of the copy always has the policy of whoever loads it. So a principal that no other policy
names sees no row, whatever it was granted on the dataset.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from include.errors import ConfigurationError

_PREFIX = "tidemark_"
_PUBLIC = "array_length(acl) = 0"
_PRINCIPAL = re.compile(
    r"(user|group|serviceAccount|domain):[^\s:\"'\\]+|principal(Set)?://[^\s\"'\\]+"
    r"|allAuthenticatedUsers|allUsers"
)
_RESERVED = ("!", "user:", "conversation:")


@dataclass(frozen=True, slots=True)
class Policy:
    """A row access policy; its name says what it holds, so that another one has another name."""

    predicate: str
    grantees: tuple[str, ...]

    @property
    def name(self) -> str:
        """Id of the policy."""
        content = "\n".join((self.predicate, *self.grantees))
        return _PREFIX + hashlib.sha256(content.encode()).hexdigest()[:24]


def is_ours(name: str) -> bool:
    """Tell whether a policy was made here; others are left alone."""
    return name.startswith(_PREFIX)


def policies(loader: str, readers: Mapping[str, tuple[str, ...]]) -> list[Policy]:
    """Return the policies of each table.

    Args:
        loader: the principal that loads.
        readers: principals by group; those under the empty name read public rows alone.
    """
    return [
        Policy("true", (loader,)),
        *(Policy(_predicate(group), grantees) for group, grantees in readers.items()),
    ]


def _predicate(group: str) -> str:
    return f"{_PUBLIC} or {literal(group)} in unnest(acl)" if group else _PUBLIC


def literal(text: str) -> str:
    """Return a string literal of BigQuery."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def parse_readers(text: str) -> dict[str, tuple[str, ...]]:
    """Read ``GROUP=PRINCIPAL,PRINCIPAL;...``; without a group: who reads public rows.

    Raises:
        ConfigurationError: a part is no such thing.
    """
    readers: dict[str, tuple[str, ...]] = {}
    for part in filter(None, (one.strip() for one in text.split(";"))):
        # A principal of a workforce pool may hold the sign, too; groups never come after it.
        group, sign, named = part.partition("=")
        if not sign or _PRINCIPAL.fullmatch(group.split(",")[0].strip()):
            group, named = "", part
        group = group.strip()
        principals = sorted({one.strip() for one in named.split(",") if one.strip()})
        if group.casefold().startswith(_RESERVED) or not group.isprintable():
            raise _wrong(f"{group} is no group")
        if wrong := [one for one in principals if not _PRINCIPAL.fullmatch(one)]:
            raise _wrong(f"{wrong[0]} is no principal")
        if not principals:
            raise _wrong(f"{part} names nobody")
        readers[group] = tuple(sorted({*readers.get(group, ()), *principals}))
    return readers


def _wrong(what: str) -> ConfigurationError:
    return ConfigurationError(
        f"TIDEMARK_BIGQUERY_READERS: {what}. Write GROUP=PRINCIPAL,PRINCIPAL;… with principals "
        "such as group:staff@example.com, user:…, serviceAccount:… or domain:…; without a group "
        "they read public rows."
    )
