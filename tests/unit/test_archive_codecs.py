from __future__ import annotations

import json
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatch_wallaroo.bundle import codecs
from hatch_wallaroo.bundle.archive import CodecError, write_zip
from hatch_wallaroo.bundle.codecs import BLOCK, places, saves_enough, worth_deflating
from hatch_wallaroo.files.sources import Entry, TextSource
from support.archives import make_tree, noise, pack_tree, prose
from support.peers import run_in
from support.zip_parser import content, parse

SCRIPT = Path(__file__).parents[1] / "support" / "archives.py"
PINNED = {
    "auto": "20f7d01c6c9cd87c65b8633254ea51fe213ee2e8f5582219958319a64953d403",
    "stored": "b405969cdf075dfe230de9363c491b8368e0cfb7c12ac660d549ac5941fe60b9",
    "deflate": "24c4c300162f1f628ab89e88437ae72de54079c664334169adb43c6895b8f6ac",
}
"""The digests of the tree in support/archives.py. One that changes means: every user's bundles change."""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tree")
    make_tree(root)
    return root


def pack_elsewhere(tree: Path, destination: Path, compression: str, *masked: str, **options: object) -> dict:
    command = [sys.executable, str(SCRIPT), str(tree), str(destination), compression, *masked]
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    return json.loads(done.stdout) if not done.returncode else {"error": done.stderr}


# ── one digest


@pytest.mark.parametrize("compression", PINNED)
@pytest.mark.parametrize("masked", [(), ("isal",)])
def test_one_digest_whichever_codec_is_installed(tree, tmp_path, compression, masked):
    assert pack_elsewhere(tree, tmp_path / "o.zip", compression, *masked)["sha256"] == PINNED[compression]


@pytest.mark.peer
@pytest.mark.parametrize("peer", ["archive-3.10", "archive-3.13"])
@pytest.mark.parametrize("compression", PINNED)
def test_one_digest_on_every_python(tree, tmp_path, compression, peer):
    done = run_in(peer, [str(SCRIPT), str(tree), str(tmp_path / "o.zip"), compression])
    assert not done.stderr
    made = json.loads(done.stdout)
    assert made["python"] == [int(part) for part in peer.removeprefix("archive-").split(".")]
    assert made["sha256"] == PINNED[compression]


@pytest.mark.parametrize("umask", [0o002, 0o022, 0o077])
def test_one_digest_wherever_and_whenever(tmp_path, umask):
    root = tmp_path / f"at {umask}"
    root.mkdir()
    make_tree(root)
    environment = {"TZ": f"UTC-{umask % 12}", "LC_ALL": "C", "PYTHONHASHSEED": str(umask)}
    made = pack_elsewhere(root, tmp_path / "o.zip", "auto", umask=umask, env=environment)
    assert made["sha256"] == PINNED["auto"]


# ── without the codecs


def test_stored_needs_no_library(tree, tmp_path):
    made = pack_elsewhere(tree, tmp_path / "o.zip", "stored", "isal", "zlib_ng")
    assert (made["sha256"], made["findings"]) == (PINNED["stored"], [])


def test_auto_without_the_portable_codec_stores_and_says_so(tree, tmp_path):
    made = pack_elsewhere(tree, tmp_path / "o.zip", "auto", "zlib_ng")
    assert set(made["methods"].values()) == {"stored"}
    assert (made["profile"], made["sha256"]) == ("stored", PINNED["stored"])
    assert made["findings"] == ["WLR600"]


def test_deflate_without_the_portable_codec_is_refused(tree, tmp_path):
    lacking = replace(codecs.installed(), portable=None, lacking="zlib-ng is not installed")
    with pytest.raises(CodecError) as raised:
        pack_tree(tree, tmp_path / "o.zip", "deflate", codecs=lacking)
    assert raised.value.finding.code == "WLR601"
    assert str(raised.value) == 'compression = "deflate" needs zlib-ng: zlib-ng is not installed'
    assert raised.value.fix == 'python -m pip install "zlib-ng>=1.1,<1.2"'
    assert not (tmp_path / "o.zip").exists()


def test_fast_without_isal_is_refused(tree, tmp_path):
    with pytest.raises(CodecError) as raised:
        pack_tree(tree, tmp_path / "o.zip", "fast", codecs=replace(codecs.installed(), fast=None))
    assert raised.value.finding.code == "WLR602"
    assert "hatch-wallaroo[fast]" in raised.value.fix


def test_fast_is_what_the_user_asked_for(tree, tmp_path):
    pytest.importorskip("isal")
    made = pack_tree(tree, tmp_path / "o.zip", "fast")
    assert made.profile == "fast"
    assert made.sha256 not in PINNED.values()
    for member in parse(made.path):
        content(made.path, member)


def test_a_library_that_packs_differently_is_not_the_portable_codec(monkeypatch, tmp_path):
    """As a zlib-ng of another version would: here, Python's own zlib plays it."""

    class Other:
        compressobj, crc32 = staticmethod(zlib.compressobj), staticmethod(zlib.crc32)
        Z_FINISH, Z_SYNC_FLUSH, ZLIBNG_RUNTIME_VERSION = zlib.Z_FINISH, zlib.Z_SYNC_FLUSH, "9.9"

    monkeypatch.setattr(codecs, "_import_ng", lambda: Other)
    codecs.installed.cache_clear()
    try:
        found = codecs.installed()
        assert found.portable is None
        assert found.lacking == "the installed zlib-ng (9.9) packs differently"
        made = write_zip([Entry("a", TextSource("a" * 9999))], tmp_path / "o.zip", compression="auto")
    finally:
        codecs.installed.cache_clear()
    assert [finding.code for finding in made.findings] == ["WLR600"]
    assert made.entries[0].method == "stored"


def test_the_portable_codec_is_installed_here():
    found = codecs.installed()
    assert found.lacking == ""
    assert found.portable is not None


# ── parts


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_checksums_of_parts_combine(first, second):
    assert codecs.combine(zlib.crc32(first), zlib.crc32(second), len(second)) == zlib.crc32(first + second)


@pytest.mark.parametrize("length", [0, 1, 2**20, 2**32 + 5])
def test_checksums_combine_over_large_parts(length):
    crc, left = zlib.crc32(b"abc"), length
    if length < 2**25:
        whole = zlib.crc32(bytes(length), crc)
        assert codecs.combine(crc, zlib.crc32(bytes(length)), length) == whole
        return
    one = codecs.combine(crc, 0, length)
    half = codecs.combine(codecs.combine(crc, 0, left // 2), 0, left - left // 2)
    assert one == half


@given(st.lists(st.binary(max_size=70_000), min_size=1, max_size=4))
def test_parts_make_one_stream(parts):
    codec = codecs.installed().portable
    packed, before = b"", b""
    for number, part in enumerate(parts):
        packed += codec.deflate(part, before[-codecs.WINDOW :], last=number == len(parts) - 1)
        before += part
    unpacker = zlib.decompressobj(-15)
    assert unpacker.decompress(packed) == before
    assert unpacker.eof


@given(st.integers(min_value=1, max_value=2**45))
def test_samples_are_spread_aligned_and_inside(size):
    found = places(size)
    assert found == sorted(set(found)) == places(size)
    assert len(found) <= 16
    assert all(place % 4096 == 0 for place in found)
    assert all(place + BLOCK <= size for place in found) or len(found) == 1
    assert found[-1] < size
    if size >= 16 * 2 * BLOCK:
        assert [place * 16 // size for place in found] == list(range(16))


def test_samples_are_taken_at_the_same_places_everywhere():
    """They decide what is deflated: other places are another format."""
    assert places(70_000) == [8192]
    assert places(200_000) == [28672, 69632, 151552]
    assert places(7_654_321)[:6] == [184320, 581632, 1032192, 1642496, 2269184, 2760704]


@pytest.mark.parametrize(
    ("data", "deflated"),
    [
        (noise(2 << 20), False),
        (prose(2 << 20), True),
        (bytes(2 << 20), True),
        (noise(1 << 20) + prose(1 << 20), True),
        (noise(7 << 18) + prose(1 << 18), False),
        (prose(1 << 18) + noise(7 << 18), False),
        (bytes(byte & 0x7F for byte in noise(2 << 20)), False),
        (bytes(byte & 0x3F for byte in noise(2 << 20)), True),
    ],
)
def test_the_sample_tells_what_packing_all_would_save(data, deflated):
    codec = codecs.installed().portable
    reads = []

    def block_at(offset: int) -> bytes:
        reads.append(offset)
        return data[offset : offset + BLOCK]

    assert worth_deflating(places(len(data)), block_at, codec) is deflated
    assert saves_enough(len(data), len(codec.deflate(data))) is deflated
    assert len(reads) in {4, 16}
