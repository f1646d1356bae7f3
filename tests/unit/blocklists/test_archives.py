"""Categories out of folders and archives, compressed lists, pinned contents; and every way to be hostile with them."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import struct
import tarfile
from pathlib import Path

import pytest
from backports import zstd

from blocklists.fetch import Fetched, Fetcher, NotModified, Validators
from blocklists.inflate import Failure, FetchError, Inflate
from blocklists.normalise import normalise
from blocklists.source import Source
from blocklists.tar import Tar, TarError
from tests.support.archives import CATEGORIES, compressed, folder_of, link, tar_of
from tests.support.lists import entries_in

JUDI = "blacklists/judi"
MIB = 1 << 20


def left(tmp_path: Path) -> list[str]:
    """What a fetch left beside what was there."""
    return [one.name for one in tmp_path.iterdir() if one.name.startswith("content")]


async def fetched(path: Path, tmp_path: Path, **stated: object) -> Fetched:
    source = Source("contoh", str(path), **stated)  # type: ignore[arg-type]  # fields of Source
    found = await Fetcher().fetch(source, Validators(), tmp_path / "content")
    assert isinstance(found, Fetched)
    assert left(tmp_path) == ["content"]
    return found


async def refused(path: Path, tmp_path: Path, **stated: object) -> FetchError:
    with pytest.raises(FetchError) as caught:
        await fetched(path, tmp_path, **stated)
    assert left(tmp_path) == []
    return caught.value


def entries(found: Fetched, tmp_path: Path) -> list[tuple[str, str]]:
    parsed = normalise(found.path, Source("contoh", "x"), (), tmp_path / "entries")
    assert parsed.format == "ut1"
    assert parsed.entries is not None
    return entries_in(parsed.entries)


def written(tmp_path: Path, content: bytes, name: str = "archive") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("how", ["", "gzip", "xz", "zstd"])
@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
async def test_a_category_comes_out_of_an_archive(how: str, form: int, tmp_path: Path) -> None:
    path = written(tmp_path, compressed(tar_of(CATEGORIES, form=form), how))
    found = await fetched(path, tmp_path, member=JUDI)
    assert entries(found, tmp_path) == [("judi1.example", "subtree"), ("judi2.example", "subtree")]
    assert found.sha256 == hashlib.sha256(found.path.read_bytes()).hexdigest()
    assert found.size_bytes == found.path.stat().st_size


async def test_a_category_is_the_same_from_a_folder_and_whatever_the_order(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "lists", CATEGORIES)
    backwards = dict(reversed(CATEGORIES.items()))
    digests = {
        (await fetched(folder, tmp_path, member=JUDI)).sha256,
        (await fetched(folder / JUDI, tmp_path)).sha256,
        (await fetched(written(tmp_path, tar_of(CATEGORIES)), tmp_path, member=JUDI)).sha256,
        (await fetched(written(tmp_path, tar_of(backwards)), tmp_path, member=JUDI)).sha256,
    }
    assert len(digests) == 1


async def test_a_white_category_allows(tmp_path: Path) -> None:
    found = await fetched(written(tmp_path, tar_of(CATEGORIES)), tmp_path, member="blacklists/putih")
    assert entries(found, tmp_path) == [("kantor.example", "allow subtree")]


async def test_a_file_of_an_archive_is_a_list_by_itself(tmp_path: Path) -> None:
    path = written(tmp_path, tar_of(CATEGORIES))
    found = await fetched(path, tmp_path, member=f"{JUDI}/domains")
    assert found.path.read_bytes() == CATEGORIES[f"{JUDI}/domains"]
    folder = folder_of(tmp_path / "lists", CATEGORIES)
    assert (await fetched(folder, tmp_path, member=f"{JUDI}/domains")).sha256 == found.sha256


@pytest.mark.parametrize("how", ["gzip", "xz", "zstd"])
async def test_files_of_a_category_can_be_compressed_each(how: str, tmp_path: Path) -> None:
    suffix = {"gzip": "gz", "xz": "xz", "zstd": "zst"}[how]
    files = {f"./{JUDI}/domains.{suffix}": compressed(b"judi1.example\n", how)}
    found = await fetched(written(tmp_path, tar_of(files)), tmp_path, member=JUDI)
    assert entries(found, tmp_path) == [("judi1.example", "subtree")]
    damaged = {f"{JUDI}/domains.{suffix}": compressed(b"judi1.example\n", how)[:-5]}
    error = await refused(written(tmp_path, tar_of(damaged)), tmp_path, member=JUDI)
    assert error.code in (Failure.TRUNCATED, Failure.ENCODING)


async def test_a_folder_is_known_again(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "lists", CATEGORIES)
    source = Source("contoh", str(folder), member=JUDI)
    first = await fetched(folder, tmp_path, member=JUDI)
    assert isinstance(await Fetcher().fetch(source, first.validators, tmp_path / "again"), NotModified)
    (folder / JUDI / "domains").write_bytes(b"judi3.example\n")
    assert isinstance(await Fetcher().fetch(source, first.validators, tmp_path / "again"), Fetched)


async def test_an_unknown_category_is_an_error_that_names_the_known_ones(tmp_path: Path) -> None:
    path = written(tmp_path, tar_of(CATEGORIES))
    folder = folder_of(tmp_path / "lists", CATEGORIES)
    for location, member in (
        (path, "blacklists/x"),
        (path, ""),
        (folder / "blacklists", "x"),
        (folder / "blacklists", ""),
    ):
        error = await refused(location, tmp_path, member=member)
        assert error.code is Failure.MEMBER
        assert "judi, " in error.sentence
        assert "putih" in error.sentence


async def test_a_member_needs_an_archive(tmp_path: Path) -> None:
    error = await refused(written(tmp_path, b"a.example\n"), tmp_path, member="judi")
    assert error.code is Failure.ARCHIVE


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
async def test_links_and_devices_in_an_archive_are_not_followed(kind: bytes, tmp_path: Path) -> None:
    for path in (JUDI, f"{JUDI}/domains"):
        content = tar_of({}, link(path, "/etc/passwd", kind))
        error = await refused(written(tmp_path, content), tmp_path, member=JUDI)
        assert error.code is Failure.ARCHIVE
        assert "not followed" in error.sentence


async def test_links_and_pipes_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    secret = written(tmp_path, b"rahasia.example\n", "secret")
    folder = folder_of(tmp_path / "lists", {"satu/x": b"", "dua/x": b"", "tiga/domains": b"a.example\n"})
    (folder / "satu" / "domains").symlink_to(secret)
    os.mkfifo(folder / "dua" / "domains")
    (folder / "empat").symlink_to(folder / "tiga")
    (folder / "lima").symlink_to(tmp_path)
    for member in ("satu", "dua", "empat", "lima/lists/tiga", "satu/domains"):
        error = await refused(folder, tmp_path, member=member)
        assert error.code in (Failure.ARCHIVE, Failure.FILE), member
        assert "not followed" in error.sentence


@pytest.mark.parametrize(
    "path", ["/etc/domains", "../judi/domains", "judi/../../judi/domains", "a/judi/domains", "judi\\domains"]
)
async def test_paths_that_leave_the_archive_lead_nowhere(path: str, tmp_path: Path) -> None:
    error = await refused(written(tmp_path, tar_of({path: b"a.example\n"})), tmp_path, member="judi")
    assert error.code is Failure.MEMBER


@pytest.mark.parametrize("member", ["..", "../x", "/x", "a/../b", "a//b", "a/", ".", "x" * 201, "a\\b", "a\nb"])
def test_a_member_is_a_path_inside(member: str) -> None:
    with pytest.raises(ValueError, match="member"):
        Source("contoh", "x", member=member)


async def test_the_same_file_twice_is_refused(tmp_path: Path) -> None:
    content = tar_of({f"{JUDI}/domains": b"a.example\n", f"./{JUDI}/domains": b"b.example\n"})
    error = await refused(written(tmp_path, content), tmp_path, member=JUDI)
    assert error.code is Failure.ARCHIVE
    assert "twice" in error.sentence


@pytest.mark.parametrize("how", ["gzip", "xz", "zstd"])
async def test_a_bomb_is_stopped_by_its_ratio_long_before_the_limit(how: str, tmp_path: Path) -> None:
    error = await refused(written(tmp_path, compressed(bytes(24 * MIB), how)), tmp_path)
    assert error.code is Failure.TOO_LARGE
    assert "-fold" in error.sentence


async def test_a_bomb_in_an_archive_and_one_in_another_are_stopped(tmp_path: Path) -> None:
    inner = compressed(bytes(24 * MIB), "gzip")
    for content in (tar_of({f"{JUDI}/domains.gz": inner}), compressed(compressed(inner, "xz"), "zstd")):
        member = JUDI if content.startswith(b"blacklists") else ""
        if not member:
            found = await fetched(written(tmp_path, content), tmp_path)
            assert found.size_bytes == len(inner)  # a third layer is left alone, and is no list
            continue
        assert (await refused(written(tmp_path, content), tmp_path, member=member)).code is Failure.TOO_LARGE


async def test_all_files_of_a_category_share_the_limit(tmp_path: Path) -> None:
    part = b"".join(b"n%06d.example\n" % number for number in range(4000))
    content = tar_of({f"{JUDI}/domains": part, f"{JUDI}/urls": part})
    path = written(tmp_path, content)
    assert (await fetched(path, tmp_path, member=JUDI, max_size_bytes=len(content))).size_bytes > 2 * len(part)
    zipped = written(tmp_path, compressed(content, "gzip"))
    error = await refused(zipped, tmp_path, member=JUDI, max_size_bytes=len(part) + 1000)
    assert error.code is Failure.TOO_LARGE


def test_millions_of_members_are_stopped() -> None:
    one = tar_of({"x": b""})[:512]
    tar = Tar(lambda path, kind: None, max_members=1000)
    tar.write(one * 1000)
    with pytest.raises(TarError, match="members"):
        tar.write(one)


def test_names_and_records_that_never_end_are_stopped() -> None:
    for kind in (b"L", b"x", b"g", b"K"):
        info = tarfile.TarInfo("x")
        info.type = kind
        info.size = 1 << 30
        tar = Tar(lambda path, kind: None)
        with pytest.raises(TarError, match="too long"):
            tar.write(info.tobuf(tarfile.GNU_FORMAT))


@pytest.mark.parametrize(
    "records", [b"30 GNU.sparse.realsize=999999\n", b"13 size=99999\n", b"0 path=x\n", b"x", b"99999999999 a=b\n"]
)
def test_sparse_and_damaged_records_are_refused(records: bytes) -> None:
    info = tarfile.TarInfo("x")
    info.type = tarfile.XHDTYPE
    info.size = len(records)
    content = info.tobuf(tarfile.USTAR_FORMAT) + records.ljust(512, b"\0") + tar_of({"x": b"a"})
    tar = Tar(lambda path, kind: None)
    if records.startswith(b"99999999999"):
        tar.write(content)  # the record ends where the records do
    else:
        with pytest.raises(TarError):
            tar.write(content)


@pytest.mark.parametrize("cut", [100, 512, 700, 1030, 2000])
async def test_an_archive_that_was_cut_is_refused_or_lacks_the_category(cut: int, tmp_path: Path) -> None:
    content = tar_of({f"{JUDI}/domains": b"a.example\n" * 300})[:cut]
    error = await refused(written(tmp_path, content), tmp_path, member=JUDI)
    assert error.code is Failure.ARCHIVE


def test_an_archive_reads_the_same_in_blocks_of_any_size() -> None:
    content = tar_of(CATEGORIES, form=tarfile.PAX_FORMAT)
    for size in (1, 7, 511, 512, 513, 10_000):
        found: dict[str, bytearray] = {}
        tar = Tar(lambda path, kind, found=found: found.setdefault(path, bytearray()).extend)  # type: ignore[misc]  # a fresh one each
        for start in range(0, len(content), size):
            tar.write(content[start : start + size])
        tar.finish()
        assert found == CATEGORIES


@pytest.mark.parametrize("outer", ["gzip", "xz", "zstd"])
@pytest.mark.parametrize("inner", ["", "gzip", "xz", "zstd"])
async def test_a_list_comes_out_of_two_compressions(outer: str, inner: str, tmp_path: Path) -> None:
    path = written(tmp_path, compressed(compressed(b"a.example\n" * 9, inner), outer))
    assert (await fetched(path, tmp_path)).path.read_bytes() == b"a.example\n" * 9


@pytest.mark.parametrize("how", ["gzip", "xz", "zstd"])
def test_parts_one_behind_the_other_are_one_list_in_blocks_of_any_size(how: str) -> None:
    part = os.urandom(3000)
    content = compressed(part, how) * 3
    for size in (1, 100, len(content)):
        found = bytearray()
        inflate = Inflate("x", MIB, found.extend)
        for start in range(0, len(content), size):
            inflate.write(content[start : start + size])
        inflate.finish()
        assert found == part * 3
        assert inflate.written == 9000
        assert inflate.encodings == (how,)


@pytest.mark.parametrize("how", ["gzip", "xz", "zstd"])
def test_data_that_fill_the_last_piece_exactly_are_whole(how: str) -> None:
    for size in (MIB - 1, MIB, MIB + 1, 3 * MIB):
        found = bytearray()
        inflate = Inflate("x", 8 * MIB, found.extend)
        inflate.write(compressed(bytes(size), how))
        inflate.finish()
        assert len(found) == size


def test_a_frame_that_asks_for_gigabytes_of_memory_is_refused() -> None:
    options = {zstd.CompressionParameter.window_log: 30, zstd.CompressionParameter.enable_long_distance_matching: 1}
    compressor = zstd.ZstdCompressor(options=options)
    content = compressor.compress(b"a.example\n" * 100_000) + compressor.flush()
    with pytest.raises(FetchError) as caught:
        Inflate("x", 1 << 31, lambda piece: None).write(content)
    assert caught.value.code is Failure.ENCODING


async def test_a_pinned_list_is_taken_by_the_digest_of_the_file_or_of_its_text(tmp_path: Path) -> None:
    text = b"a.example\n" * 9
    path = written(tmp_path, gzip.compress(text))
    for content in (path.read_bytes(), text):
        digest = hashlib.sha256(content).hexdigest()
        assert (await fetched(path, tmp_path, sha256=digest)).path.read_bytes() == text
    error = await refused(path, tmp_path, sha256="0" * 64)
    assert error.code is Failure.PIN
    assert hashlib.sha256(path.read_bytes()).hexdigest() in error.sentence
    archive = written(tmp_path, tar_of(CATEGORIES))
    whole = hashlib.sha256(archive.read_bytes()).hexdigest()
    assert (await fetched(archive, tmp_path, member=JUDI, sha256=whole)).size_bytes


def test_a_header_with_a_sparse_type_is_no_regular_file() -> None:
    info = tarfile.TarInfo("judi/domains")
    info.type = tarfile.GNUTYPE_SPARSE
    kinds: list[str] = []
    Tar(lambda path, kind: kinds.append(kind)).write(info.tobuf(tarfile.GNU_FORMAT))  # type: ignore[func-returns-value]  # None is an answer
    assert kinds == ["S"]


def test_a_size_in_base_256_is_read() -> None:
    info = tarfile.TarInfo("x")
    info.size = 9 << 30
    header = info.tobuf(tarfile.GNU_FORMAT)
    assert struct.unpack(">B", header[124:125]) == (0x80,)
    tar = Tar(lambda path, kind: None)
    tar.write(header)
    with pytest.raises(TarError, match="cut"):
        tar.finish()


def test_the_first_file_decides_nothing_for_an_empty_archive() -> None:
    tar = Tar(lambda path, kind: None)
    tar.write(io.BytesIO(bytes(10_240)).getvalue())
    tar.finish()
    assert tar.members == 0
