"""Sources on the local file system: a folder with all below it, or a single file."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from include.errors import BadInput, ConfigurationError, UnavailableError
from include.models import Source
from include.sources.beneath import open_beneath, open_folder_beneath, root_unavailable
from include.sources.listing import (
    ListedFile,
    ListingProblem,
    SidecarMetadata,
    check_format,
    file_uri,
    record_format,
    spell_path,
    unspell_path,
)
from include.sources.sidecars import FOLDER_SIDECAR, SUFFIX, is_sidecar, merge, read_sidecar

Listed = ListedFile | ListingProblem
_LITTER = frozenset({"thumbs.db", "desktop.ini"})


def is_ignored(name: str) -> bool:
    """Whether a name is passed over in silence: hidden (``.git`` too), a backup, an office lock."""
    return name.startswith((".", "~$")) or name.endswith("~") or name.lower() in _LITTER


class FolderReader:
    """Lists and opens the files of a ``file://`` source.

    Links to files inside the root are files of their own; links to folders are not followed, for
    what lies inside the root is listed where it lies. Nothing outside the root is ever read.

    Attributes:
        root: the folder that bounds every read; of a single file the folder that it lies in.
    """

    def __init__(self, source: Source, path: Path) -> None:
        self.source = source
        self._only: str | None = None
        if source.format is not None:
            check_format(source.format)
        try:
            mode = path.stat().st_mode
            if stat.S_ISDIR(mode):
                self.root = path
                return
            # A link that the user names is meant: its target is the source.
            path = path.resolve(strict=True)
        except OSError as error:
            raise root_unavailable(path, error) from error
        if not stat.S_ISREG(mode):
            raise ConfigurationError(f"{file_uri(path)} is neither a folder nor a regular file.")
        self.root, self._only = path.parent, path.name

    def list_files(self) -> Iterator[Listed]:
        """Walk the source: in each folder its files by name, then its folders by name.

        Only the names of the folders on the way are held in memory.

        Raises:
            UnavailableError: the root is missing or unreadable, or the device fails.
        """
        if self._only is not None:
            yield from self._list_only(self._only)
            return
        pending: list[tuple[str, SidecarMetadata]] = [("", SidecarMetadata())]
        while pending:
            raw, outer = pending.pop()
            folders: list[tuple[str, SidecarMetadata]] = []
            try:
                descriptor = open_folder_beneath(self.root, spell_path(raw))
            except BadInput as problem:
                self._require_root(raw, problem)
                yield self._unreadable_folder(raw)
                continue
            except UnavailableError:
                if not raw:
                    raise
                yield self._unreadable_folder(raw)
                continue
            try:
                yield from self._list_folder(descriptor, raw, outer, folders)
            finally:
                os.close(descriptor)
            pending.extend(reversed(folders))

    def open(self, path: str) -> BinaryIO:
        """Open a listed file; errors as :func:`include.sources.beneath.open_beneath`."""
        return open_beneath(self.root, path)

    def _list_folder(
        self,
        descriptor: int,
        raw: str,
        outer: SidecarMetadata,
        folders: list[tuple[str, SidecarMetadata]],
    ) -> Iterator[Listed]:
        try:
            names = sorted(os.listdir(descriptor), key=os.fsencode)
        except OSError as error:
            if not raw:
                raise root_unavailable(self.root, error) from error
            yield self._unreadable_folder(raw)
            return
        prefix = raw + "/" if raw else ""
        if FOLDER_SIDECAR in names:
            outer = merge(outer, read_sidecar(self.root, spell_path(prefix + FOLDER_SIDECAR)))
        present = set(names)
        for name in names:
            if is_ignored(name):
                continue
            try:
                found = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            except FileNotFoundError:
                continue
            except OSError as error:
                yield self._unreadable_name(prefix + name, error)
                continue
            if stat.S_ISDIR(found.st_mode):
                folders.append((prefix + name, outer))
                continue
            if is_sidecar(name):
                if name != FOLDER_SIDECAR and name.removesuffix(SUFFIX) not in present:
                    yield self._orphan(prefix + name)
                continue
            item = self._look_at(prefix + name, found, outer, name + SUFFIX in present)
            if item is not None:
                yield item

    def _list_only(self, name: str) -> Iterator[Listed]:
        try:
            names = os.listdir(self.root)
            found = os.stat(self.root / name, follow_symlinks=False)
        except OSError as error:
            raise root_unavailable(self.root / name, error) from error
        outer = SidecarMetadata()
        if FOLDER_SIDECAR in names:
            outer = read_sidecar(self.root, FOLDER_SIDECAR)
        item = self._look_at(name, found, outer, name + SUFFIX in names)
        if item is not None:
            yield item

    def _look_at(
        self, raw: str, found: os.stat_result, outer: SidecarMetadata, has_sidecar: bool
    ) -> Listed | None:
        path = spell_path(raw)
        absolute = self.root / raw
        if stat.S_ISLNK(found.st_mode):
            target = self._follow(absolute, path)
            if target is None or isinstance(target, ListingProblem):
                return target
            found = target
        if not stat.S_ISREG(found.st_mode):
            detail = "It is a pipe, socket or device, not a file; it is not opened. Remove it."
            return self._problem(raw, "special_file", detail)
        metadata = outer
        if has_sidecar:
            metadata = merge(outer, read_sidecar(self.root, spell_path(raw + SUFFIX)))
        format = record_format(path, self.source.format)
        return ListedFile(
            path=path,
            uri=file_uri(absolute),
            absolute=absolute,
            size=found.st_size,
            mtime_ns=found.st_mtime_ns,
            kind="records" if format else "document",
            format=format,
            metadata=metadata,
        )

    def _follow(self, link: Path, path: str) -> os.stat_result | ListingProblem | None:
        """Judge a link: the file it leads to, a problem, or None for a folder inside the root."""
        raw = unspell_path(path)
        try:
            real = os.path.realpath(link, strict=True)
            target = os.stat(real, follow_symlinks=False)
        except OSError as error:
            if error.errno in {errno.EACCES, errno.EPERM}:
                detail = "It is a link whose target this user may not see; nothing was read."
                return self._problem(raw, "outside_root", detail)
            detail = "It is a link that leads nowhere; correct or remove it."
            return self._problem(raw, "broken_link", detail)
        root = os.path.realpath(self.root)
        if real != root and not real.startswith(root.rstrip("/") + "/"):
            detail = "It is a link that leaves the source's root; it is not read. Copy the file in."
            return self._problem(raw, "outside_root", detail)
        return None if stat.S_ISDIR(target.st_mode) else target

    def _require_root(self, raw: str, problem: BadInput) -> None:
        if not raw:
            raise UnavailableError(
                f"The source's root {file_uri(self.root)} cannot be read: {problem.detail}"
            )

    def _unreadable_folder(self, raw: str) -> ListingProblem:
        detail = (
            "The folder cannot be read, so what lies in it is unknown and nothing of this source "
            "is retired; grant this user the permission to read it."
        )
        return self._problem(raw, "unreadable_folder", detail, makes_partial=True, transient=True)

    def _unreadable_name(self, raw: str, error: OSError) -> ListingProblem:
        detail = f"It cannot be looked at ({error.strerror}); check the permissions and the disk."
        return self._problem(raw, "unreadable", detail, makes_partial=True, transient=True)

    def _orphan(self, raw: str) -> ListingProblem:
        detail = "It is a sidecar whose file is not there; it is ignored."
        return self._problem(raw, "sidecar_without_file", detail, quarantine=False)

    def _problem(
        self,
        raw: str,
        reason: str,
        detail: str,
        *,
        makes_partial: bool = False,
        quarantine: bool = True,
        transient: bool = False,
    ) -> ListingProblem:
        return ListingProblem(
            path=spell_path(raw),
            uri=file_uri(self.root / raw),
            reason=reason,
            detail=detail,
            makes_partial=makes_partial,
            quarantine=quarantine,
            transient=transient,
        )
