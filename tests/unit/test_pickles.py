"""The pickle reader: right on what real libraries write, unharmed by what nobody should."""

from __future__ import annotations

import collections
import io
import os
import pickle
import pickletools
import struct
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hatch_wallaroo.formats import pickle_machine
from hatch_wallaroo.formats.pickle_machine import ByteReader, Pickle, PickleError, TruncatedError
from hatch_wallaroo.formats.pickle_nodes import OPAQUE, Blob, Collection, Global, array_of, class_of, state_of, walk
from hatch_wallaroo.formats.pickles import HOOKS, PickleFile, read_pickle, read_pickle_file
from support.peers import run_in
from support.pickle_bombs import BOMBS
from support.pickles import Made, Name, estimator, pickled, rebuilt

FOLDER = Path(__file__).parents[1] / "fixtures" / "pickles"
PICKLES = sorted(each.name for each in FOLDER.glob("*.pkl"))


def read(data: bytes, **options) -> Pickle:
    return read_pickle(ByteReader(io.BytesIO(data), len(data)), hooks=HOOKS, **options)


def read_file(path: Path) -> PickleFile:
    with path.open("rb") as stream:
        return read_pickle_file(stream, path.stat().st_size)


atoms = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=40)
    | st.binary(max_size=90)
)
keys = st.integers() | st.text(max_size=20) | st.tuples(st.integers(), st.text(max_size=9))
values = st.recursive(
    atoms,
    lambda inner: (
        st.lists(inner, max_size=9)
        | st.tuples(inner, inner)
        | st.tuples(inner, inner, inner, inner)
        | st.dictionaries(keys, inner, max_size=9)
        | st.frozensets(st.integers() | st.text(max_size=9), max_size=5)
        | st.sets(st.integers(), max_size=5)
    ),
    max_leaves=40,
)


@settings(max_examples=150, deadline=None)
@given(values, st.sampled_from([4, 5]))
def test_a_description_says_what_was_pickled(value, protocol):
    found = read(pickle.dumps(value, protocol))
    assert rebuilt(found.root) == value
    assert found.complete
    assert found.protocol == protocol
    assert not found.globals


@settings(max_examples=150, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=9) | st.tuples(inner, inner) | st.dictionaries(st.text(max_size=9), inner)
        ),
        max_leaves=30,
    ),
    st.sampled_from([0, 1, 2, 3]),
)
def test_older_protocols_too(value, protocol):
    assert rebuilt(read(pickle.dumps(value, protocol)).root) == value


@pytest.mark.parametrize("protocol", range(6))
def test_objects_are_described_by_class_and_state(protocol):
    model = estimator("some_library.models.Model", n_features_in_=4, steps=[("a", estimator("x.Y", k=1))])
    found = read(pickled(model, protocol)).root
    assert class_of(found) == Global("some_library.models", "Model")
    assert state_of(found).get("n_features_in_") == 4
    step = state_of(found).get("steps").items[0]
    assert step.items[0] == "a"
    assert class_of(step.items[1]) == Global("x", "Y")
    assert state_of(step.items[1]).keys() == ["coef_", "_sklearn_version", "k"]


@pytest.mark.parametrize("protocol", range(6))
def test_real_objects(protocol):
    ordered = collections.OrderedDict(a=1)
    found = read(pickle.dumps([ordered, ordered, complex(1, 2), bytearray(b"xy"), range(3), Path("a")], protocol))
    first, again, number, data, numbers, path = found.root.items
    assert class_of(first) == Global("collections", "OrderedDict")
    assert first is again
    assert {class_of(each).name for each in (number, numbers)} == {"complex", "range", "xrange"} - (
        {"xrange"} if protocol > 2 else {"range"}
    )
    assert class_of(path).module.startswith("pathlib")
    assert isinstance(data, Blob) if protocol == 5 else class_of(data).name == "bytearray"


def test_a_cycle_is_walked_once():
    own = []
    own.append(own)
    found = read(pickle.dumps(own)).root
    assert list(walk(found)) == [found]


def imports_by_the_standard_library(data: bytes) -> set[str]:
    """The classes of a pickle, found in another way: from its disassembly."""
    found, texts, memo = set(), [], {}
    for opcode, argument, _ in pickletools.genops(data):
        if opcode.name == "GLOBAL":
            found.add(argument.replace(" ", "."))
        elif opcode.name == "STACK_GLOBAL":
            found.add(".".join(texts[-2:]))
        elif opcode.name == "MEMOIZE":
            memo[len(memo)] = texts[-1] if texts else None
        elif opcode.name in {"BINGET", "LONG_BINGET"}:
            texts.append(memo.get(argument))
        elif "UNICODE" in opcode.name:
            texts.append(argument)
    return found


@pytest.mark.parametrize("name", PICKLES)
def test_classes_are_those_of_the_disassembly(name):
    data = (FOLDER / name).read_bytes()
    assert {str(each) for each in read(data).globals} == imports_by_the_standard_library(data)


@pytest.mark.parametrize("name", PICKLES)
def test_a_fixture_is_read_to_its_end(name):
    file = read_file(FOLDER / name)
    assert file.error is None
    assert file.pickle.complete
    assert (file.behind, file.another, file.pickle.unresolved) == (0, False, 0)


# Broken and hostile pickles


@pytest.mark.parametrize("name", ["logistic-1.2.2.pkl", "logistic-1.2.2-protocol0.pkl", "pipeline-1.2.2.joblib"])
def test_cut_anywhere_it_is_an_error_with_an_offset(name):
    data = (FOLDER / name).read_bytes()
    for length in range(0, len(data), 1 + len(data) // 700):
        with pytest.raises(PickleError) as caught:
            read(data[:length])
        assert 0 <= caught.value.offset <= length


@pytest.mark.slow
@pytest.mark.parametrize("name", ["logistic-1.2.2.pkl", "logistic-1.2.2-protocol0.pkl", "pipeline-1.2.2.joblib"])
def test_a_flipped_bit_is_read_or_refused(name):
    offsets = [0]
    data = bytearray((FOLDER / name).read_bytes())
    for index in range(len(data)):
        for bit in (1 << index % 8,) if len(data) > 1_000 else (1, 8, 128):
            data[index] ^= bit
            try:
                for _ in walk(read(bytes(data)).root):
                    pass
            except PickleError as error:
                offsets.append(error.offset)
            data[index] ^= bit
    assert max(offsets) <= len(data)


opcodes = st.sampled_from([opcode.code.encode("latin-1") for opcode in pickletools.opcodes])
pieces = st.lists(
    opcodes | st.binary(max_size=6) | st.sampled_from([b"\n", b"\x01\x00\x00\x00", b"os\nsystem\n"]), max_size=60
)


@settings(max_examples=400, deadline=None)
@given(pieces)
def test_whatever_comes_it_is_read_or_refused(parts):
    try:
        found = read(b"".join(parts) + b".", opcodes=500)
    except PickleError:
        return
    list(walk(found.root))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "ends before"),
        (b"\x80\x04", "ends before"),
        (b".", "more than there is on the stack"),
        (b"\x80\x06N.", "protocol 6"),
        (b"\xffN.", "0xff is no pickle opcode"),
        (b"N(.", "more than there is on the stack"),
        (b"N(R.", "more than there is on the stack"),
        (b"t.", "mark that was never set"),
        (b"h\x05.", "memo entry 5"),
        (b"(NNNd.", "key without a value"),
        (b"Iabc\n.", "is no number"),
        (b"Sabc\n.", "without its quotes"),
        (b"gx\n.", "memo entry that is no number"),
        (b"K\x01K\x02\x93.", "module or name is no text"),
        (b"\x80\x04\x95\xff\x00\x00\x00\x00\x00\x00\x00N.", "before the pickle does"),
        (b"B\xff\xff\xff\xff12", "too early"),
        (b"\x8e\xff\xff\xff\xff\xff\xff\xff\xff12", "too early"),
        (b"T\xff\xff\xff\xff12", "negative length"),
        (b"c" + b"x" * 2000 + b"\ny\n.", "longer than any"),
        (b"(o.", "without a class"),
    ],
)
def test_what_is_wrong_is_said(data, message):
    with pytest.raises(PickleError, match=message):
        read(data)


@pytest.fixture(scope="module")
def bombs_read():
    """What each bomb did to a process of its own: MiB that it grew by, seconds, outcome."""
    import json
    import subprocess
    import sys

    command = [sys.executable, "-c", "from support.pickle_bombs import main; main()"]
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=paths)
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_costs_little(bombs_read, bomb):
    grown, seconds, outcome = bombs_read[bomb]
    assert grown < 64
    assert seconds < 20
    assert outcome in {"read", "refused"}


def test_opcodes_are_counted():
    found = read(b"N" + b"2" * 100 + b".", opcodes=50)
    assert not found.complete
    assert found.root is None


def test_gigabytes_are_skipped(tmp_path):
    """A pickle of 6 GB, sparse on disk: (two arrays' bytes, a version)."""
    path = tmp_path / "large.pkl"
    size = 3 << 30
    with path.open("wb") as file:
        file.write(b"\x80\x05(")
        for opcode in (b"\x8e", b"\x96"):
            file.write(opcode + struct.pack("<Q", size))
            file.seek(size, io.SEEK_CUR)
        file.write(b"\x8c\x051.2.2t.")
    tracemalloc.start()
    began = time.monotonic()
    file = read_file(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [getattr(each, "size", each) for each in file.pickle.root.items] == [size, size, "1.2.2"]
    assert peak < 4 << 20
    assert time.monotonic() - began < 5


def test_what_stands_behind_thousands_of_trees_is_found():
    trees = [
        Made(Name("sklearn.tree._tree", "Tree"), (4, 3), {f"attribute_{each}": each for each in range(20)})
        for _ in range(4_000)
    ]
    words = {f"word{each}": each for each in range(60_000)}
    parts = [("words", estimator("a.Words", vocabulary_=words)), ("trees", estimator("b.Forest", estimators_=trees))]
    last = ("last", estimator("late.module.Last", n_features_in_=7))
    found = read(pickled(estimator("sklearn.pipeline.Pipeline", steps=[*parts, last], memory=None)))
    assert found.complete
    assert found.unresolved == 0
    assert Global("late.module", "Last") in found.globals
    state = state_of(found.root)
    assert state.get("_sklearn_version") == "1.2.2"
    assert class_of(state.get("steps").items[2].items[1]) == Global("late.module", "Last")
    forest = state_of(state.get("steps").items[1].items[1]).get("estimators_")
    assert forest.count == 4_000
    assert len(forest.items) < 100


def test_a_class_whose_name_was_memoized_late_is_resolved():
    words = [f"w{each}" for each in range(50_000)]
    late = [estimator("module.a.A"), estimator("module.a.A"), estimator("module.a.B")]
    found = read(pickled([words, late]))
    assert [class_of(each).name for each in found.root.items[1].items] == ["A", "A", "B"]


# Files


@pytest.mark.parametrize("method", ["zlib", "gzip", "bz2", "xz", "lzma"])
def test_compressed_by_joblib(method):
    file = read_file(FOLDER / f"logistic-1.2.2-{method}.joblib")
    assert file.compression == method
    assert class_of(file.pickle.root).name == "LogisticRegression"
    assert state_of(file.pickle.root).get("_sklearn_version") == "1.2.2"
    assert array_of(state_of(file.pickle.root).get("coef_")).shape == (3, 4)


@pytest.mark.parametrize("method", ["zlib", "gzip", "bz2", "xz", "lzma"])
def test_compressed_and_cut(method, tmp_path):
    data = (FOLDER / f"logistic-1.2.2-{method}.joblib").read_bytes()
    for length in range(20, len(data) - 30, 60):
        (tmp_path / "cut").write_bytes(data[:length])
        assert read_file(tmp_path / "cut").error is not None


def test_lz4_is_said_to_be_unread(tmp_path):
    (tmp_path / "model.joblib").write_bytes(b"\x04\x22\x4d\x18" + bytes(99))
    file = read_file(tmp_path / "model.joblib")
    assert (file.compression, file.pickle, file.error) == ("lz4", None, None)


def test_a_compressed_bomb_is_read_to_a_limit(tmp_path):
    import zlib

    packer = zlib.compressobj()
    with (tmp_path / "bomb").open("wb") as file:
        file.write(packer.compress(b"\x80\x04\x8e" + struct.pack("<Q", 1 << 40)))
        for _ in range(300):
            file.write(packer.compress(bytes(1 << 20)))
        file.write(packer.flush())
    tracemalloc.start()
    found = read_file(tmp_path / "bomb")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert not found.pickle.complete
    assert peak < 8 << 20


@pytest.mark.parametrize("version", ["1.2.2", "1.9.1"])
def test_joblib_arrays_are_passed_over(version):
    file = read_file(FOLDER / f"pipeline-{version}.joblib")
    assert file.joblib_arrays
    assert file.behind == 0
    steps = state_of(file.pickle.root).get("steps").items
    assert [class_of(each.items[1]).name for each in steps] == ["StandardScaler", "PCA", "LogisticRegression"]
    assert state_of(file.pickle.root).get("_sklearn_version") == version


def test_joblib_arrays_of_objects_are_pickles_inside():
    file = read_file(FOLDER / "objects-1.2.2.joblib")
    assert file.pickle.root.keys() == ["words", "numbers"]
    numbers = array_of(file.pickle.root.get("numbers"))
    assert (numbers.shape, numbers.dtype.kind, numbers.dtype.itemsize) == ((3,), "f", 8)
    assert file.behind == 0


def test_joblib_without_arrays_is_a_plain_pickle():
    file = read_file(FOLDER / "no-arrays-1.2.2.joblib")
    assert not file.joblib_arrays
    assert class_of(file.pickle.root).name == "LabelEncoder"


def test_bytes_behind_the_pickle(tmp_path):
    one = pickle.dumps({"a": 1})
    (tmp_path / "two").write_bytes(one + one)
    (tmp_path / "more").write_bytes(one + b"garbage")
    assert (read_file(tmp_path / "two").behind, read_file(tmp_path / "two").another) == (len(one), True)
    assert (read_file(tmp_path / "more").behind, read_file(tmp_path / "more").another) == (7, False)


def test_the_byte_reader_at_the_edges_of_its_buffer():
    data = bytes(range(256)) * 1_000
    for streamed in (False, True):
        reader = ByteReader(io.BytesIO(data), None if streamed else len(data))
        reader.take(65_530)
        assert reader.take(12) == data[65_530:65_542]
        reader.skip(100_000)
        assert (reader.offset, reader.byte()) == (165_542, data[165_542])
        with pytest.raises(TruncatedError):
            reader.skip(len(data))


READ_IN_PEER = """
import json, pickle, sys
sys.path.insert(0, sys.argv[1])
import joblib
for path in sys.argv[2:]:
    try:
        plain = type(pickle.load(open(path, "rb"))).__name__
    except Exception as error:
        plain = "!" + type(error).__name__
    print(json.dumps([path, plain, type(joblib.load(path)).__name__]))
"""


@pytest.mark.peer
def test_what_plain_pickle_makes_of_joblib_files():
    """The reason for the rule about joblib: pickle.load of the platform's versions fails on each but the plain one."""
    import json

    files = [str(each) for each in sorted(FOLDER.glob("*-1.2.2*.joblib"))]
    done = run_in("estimators", ["-W", "ignore", "-c", READ_IN_PEER, ".", *files])
    assert done.returncode == 0, done.stderr
    loaded = {Path(path).name: (plain, real) for path, plain, real in map(json.loads, done.stdout.splitlines())}
    assert len(loaded) == len(files)
    for name, (plain, real) in loaded.items():
        file = read_file(FOLDER / name)
        needs_joblib = bool(file.compression) or file.joblib_arrays
        # An array of objects is worse than an error: its own pickle ends the load, and the array is what comes back.
        assert (plain != real) == needs_joblib, name
        made_by = class_of(file.pickle.root)
        assert real == (made_by.name if made_by else file.pickle.root.kind)


def test_limits_are_what_the_tests_know():
    assert (pickle_machine.OPCODES, pickle_machine.LIVE) == (5_000_000, 60_000)
    assert isinstance(read(pickle.dumps([])).root, Collection)
    assert repr(OPAQUE) == "OPAQUE"


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x04" + b"(" * 200_000 + b"cos\nsystem\n.",
        b"\x80\x04" + b"N" * 2_100_000 + b"cos\nsystem\n.",
    ],
    ids=["marks", "values"],
)
def test_padding_that_no_pickler_writes_is_refused(data):
    with pytest.raises(PickleError, match="no pickler"):
        read(data)
