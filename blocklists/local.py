"""Lists on this machine: a file, or a category in a folder of category folders."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from blocklists.category import Category
from blocklists.download import Download, Failure, FetchError, check_pin
from blocklists.fetched import Fetched, NotModified, Validators
from blocklists.source import Source

_BLOCK_SIZE: Final = 1 << 18
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def from_disk(source: Source, known: Validators, into: Path) -> Fetched | NotModified:
    """The list at a path or file:// URL. Raises ``FetchError``."""
    path = _path(source)
    try:
        facts = path.stat()
        if stat.S_ISDIR(facts.st_mode):
            return _from_folder(source, path, known, into)
        # A FIFO or a device would block, or never end.
        if not stat.S_ISREG(facts.st_mode):
            raise FetchError(Failure.FILE, f"{path} is not a regular file. Name the list's file itself.")
        validators = Validators(etag=f"{facts.st_mtime_ns}-{facts.st_size}")
        if known.etag == validators.etag:
            return NotModified()
        download = Download(into, str(path), source)
        try:
            with path.open("rb") as file:
                while block := file.read(_BLOCK_SIZE):
                    download.write(block)
            download.finish()
        finally:
            download.close()
    except OSError as error:
        raise FetchError(
            Failure.FILE, f"{error.filename or path} cannot be read: {error.strerror}. Check path and permissions."
        ) from error
    return Fetched(into, download.sha256, download.written, validators, str(path))


def _path(source: Source) -> Path:
    parts = urlsplit(source.location)
    if parts.scheme not in ("", "file") or (parts.scheme == "file" and parts.netloc not in ("", "localhost")):
        sentence = f"{source.location}: only http, https, file:// and paths can be fetched."
        raise FetchError(Failure.FILE, f"{sentence} Correct the list's location.")
    return Path(unquote(parts.path) if parts.scheme else source.location)


def _from_folder(source: Source, path: Path, known: Validators, into: Path) -> Fetched | NotModified:
    """A category of a folder. Its parts are opened one below the other, so that no link on the way is followed."""
    files = into.with_name(f"{into.name}.files")
    category = Category(str(path), source.member, files, source.max_size_bytes)
    try:
        with _opened(path, source.member) as (folder, name):
            found = {
                file: entry for entry in _entries(folder, name) if (file := _wanted(category, source, entry, name))
            }
            validators = Validators(etag=_tag(folder, found))
            if known.etag == validators.etag:
                return NotModified()
            for file, entry in sorted(found.items()):
                _copy(category, folder, file, entry)
        if not found:
            _note_folders(category, path)
        sha256, size_bytes = category.compose(into)
    finally:
        category.abandon()
        shutil.rmtree(files, ignore_errors=True)
    check_pin(source, str(path), sha256)
    return Fetched(into, sha256, size_bytes, validators, str(path / source.member))


@contextmanager
def _opened(path: Path, member: str) -> Iterator[tuple[int, str]]:
    """A descriptor of the folder that holds the category's files, and "" for it; or, where the member is a file, the
    file's name.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    name = ""
    try:
        for part in filter(None, member.split("/")):
            if name:
                raise FetchError(Failure.MEMBER, f"{path} has no folder {member}: {name} is a file. Correct member.")
            below = _below(path, member, part, descriptor)
            if below < 0:
                name = part
                continue
            os.close(descriptor)
            descriptor = below
        yield descriptor, name
    finally:
        os.close(descriptor)


def _below(path: Path, member: str, part: str, descriptor: int) -> int:
    """A descriptor of the folder ``part``; -1 where it is a file or is not there."""
    try:
        facts = os.stat(part, dir_fd=descriptor, follow_symlinks=False)
    except FileNotFoundError:
        return -1
    if stat.S_ISLNK(facts.st_mode):
        sentence = f"{path}: {part} in {member} is a link, which is not followed. Name what it leads to."
        raise FetchError(Failure.FILE, sentence)
    if not stat.S_ISDIR(facts.st_mode):
        return -1
    return os.open(part, _READ | os.O_DIRECTORY, dir_fd=descriptor)


def _entries(folder: int, name: str) -> list[str]:
    entries = sorted(os.listdir(folder))
    return [entry for entry in entries if not name or entry == name]


def _wanted(category: Category, source: Source, entry: str, name: str) -> str:
    return category.wanted(source.member if name else f"{source.member}/{entry}".lstrip("/"))


def _tag(folder: int, found: dict[str, str]) -> str:
    digest = hashlib.sha256()
    for file, entry in sorted(found.items()):
        facts = os.stat(entry, dir_fd=folder, follow_symlinks=False)
        digest.update(f"{file} {entry} {facts.st_mtime_ns} {facts.st_size}\n".encode())
    return digest.hexdigest()


def _copy(category: Category, folder: int, file: str, entry: str) -> None:
    facts = os.stat(entry, dir_fd=folder, follow_symlinks=False)
    if not stat.S_ISREG(facts.st_mode):
        category.refuse_other("2" if stat.S_ISLNK(facts.st_mode) else "")
    put = category.begin(file)
    with open(os.open(entry, _READ, dir_fd=folder), "rb") as source:  # noqa: PTH123 -- a descriptor, not a path
        while block := source.read(_BLOCK_SIZE):
            put(block)
    category.close()


def _note_folders(category: Category, path: Path) -> None:
    """Tells the category which folders there are, for its error."""
    for below in sorted(path.glob("*/domains"))[:100]:
        category.wanted(f"{below.parent.name}/domains")
