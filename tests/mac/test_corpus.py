"""Inference code of many kinds, judged by us and by the platform: what it takes we do not refuse, what it refuses we name."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from hatch_wallaroo.findings import Finding, Level
from hatch_wallaroo.frameworks.byop.family import Custom
from hatch_wallaroo.frameworks.step.family import PythonStep
from support import byop_calls, byop_cases, generated_cases, step_cases
from support.byop_projects import byop_spec, write
from support.factory import make_spec
from support.peers import run_in

pytestmark = pytest.mark.peer

ORACLES = Path(__file__).parents[1] / "support"

# Refused by the platform, and nothing is said of it: why it is left to a run, by case.
LEFT_TO_A_RUN = {
    **dict.fromkeys(
        ("division by nought", "unpacking too few", "a loop over nothing binds nothing"),
        "values are not computed: what stands at the top may be guarded by what only a run knows",
    ),
    **dict.fromkeys(
        (
            "a class whose base is no class",
            "a class that is final for Python",
            "bases in an order Python refuses",
            "two metaclasses at odds",
            "enumeration with a name twice",
            "dataclass with a list as default",
            "dataclass with a field without default last",
            "a class that asks for a keyword",
        ),
        "Python's rules for making a class are its own: the first import of the file tells",
    ),
    **dict.fromkeys(
        ("builders made by a loop", "a builder made by type()", "a class decorator that gives nothing"),
        "classes made by calls are not followed",
    ),
    **dict.fromkeys(
        ("annotations set after the class", "annotations taken off", "a generic type of its own, wrong"),
        "annotations that are changed or made by subscripts are taken as they may be",
    ),
    **dict.fromkeys(
        ("a model of slots that lacks one", "a setter that calls its base", "predict misspells its input"),
        "what an object has, and may be called with, is known in the simple cases alone",
    ),
    "a model by a class method that gives another": "class methods are not followed",
    **dict.fromkeys(
        ("module without such a function", "a name that a module lacks"),
        "names of the standard library are known where releases of Python differ in them",
    ),
    "a circle of two modules": "below artifacts/, the order in which modules import each other is the functions' own",
}
# We refuse what the oracle's loader takes: why we may.
REFUSED_BY_THE_SERVER = {
    ("mac-2023.2.1", "predict is async"): "its server awaits nothing, where the oracle awaits for it"
}


def text_of(entry) -> str:
    with entry.source.open() as stream:
        return stream.read().decode()


def loud(findings: list[Finding]) -> list[str]:
    return [f"{each.level.value} {each.code} {each.message}" for each in findings if each.level is not Level.NOTE]


def judged(spec, family, files: dict[str, str]) -> tuple[dict[str, str], list[Finding]]:
    """The bundle's files by their path below its folder, or the project's where none is made; and what we say."""
    plan = family.plan(spec)
    if plan.layout is None:
        return files, list(plan.findings)
    found = [*plan.findings, *family.inspect(spec, plan.layout).findings]
    return {entry.path.partition("/")[2]: text_of(entry) for entry in plan.layout.entries}, found


def own(root: Path, files: dict[str, str], release: str):
    artifacts = ("artifacts",) if any(path.startswith("artifacts/") for path in files) else ()
    spec = byop_spec(write(root, files), module="main.py", artifacts=artifacts, release=release)
    return judged(spec, Custom(), files)


def generated(root: Path, files: dict[str, str], release: str):
    artifacts = ("w.txt",) if "w.txt" in files else ()
    functions = {"load": "shop.model:load", "predict": "shop.model:predict"}
    return judged(byop_spec(write(root, files), artifacts=artifacts, release=release, **functions), Custom(), files)


def step(root: Path, text: str, release: str):
    files = {"step.py": text}
    return judged(make_spec(write(root, files), "python", release=release, model="step.py"), PythonStep(), files)


def asked(peer: str, oracle: str, bundles: dict[str, dict[str, str]], folder: Path) -> dict[str, str]:
    """What the real runtime says of each bundle: `ok`, or what it refuses."""
    done = run_in(peer, ["-B", str(ORACLES / oracle)], input=json.dumps(bundles), cwd=folder)
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout.splitlines()[-1])
    return {
        name: said
        if isinstance(said, str)
        else next((each for each in said.values() if each not in {"ok", "pass", None}), "ok")
        for name, said in answers.items()
    }


OLD, NEW = "mac-2023.2.1", "mac-2026.1.3"  # steps of 2023.2 have no loader of their own


@pytest.mark.parametrize(
    ("peer", "judge", "cases", "oracle"),
    [
        pytest.param(OLD, own, byop_calls.LIVE, "byop_oracle.py", id="own classes, 2023.2"),
        pytest.param(NEW, own, byop_calls.LIVE, "byop_oracle.py", id="own classes, 2026.1"),
        pytest.param(OLD, generated, generated_cases.CASES, "byop_oracle.py", id="generated, 2023.2"),
        pytest.param(NEW, generated, generated_cases.CASES, "byop_oracle.py", id="generated, 2026.1"),
        pytest.param(NEW, step, step_cases.LIVE, "step_oracle.py", id="steps, 2026.1"),
    ],
)
def test_we_say_what_the_platform_says(peer, judge, cases, oracle, tmp_path):
    bundles, ours = {}, {}
    for number, (name, case) in enumerate(cases.items()):
        bundles[name], ours[name] = judge(tmp_path / str(number), case, peer.removeprefix("mac-").removesuffix(".3"))
    theirs = asked(peer, oracle, bundles, tmp_path)
    refused = {
        name: loud(ours[name])
        for name, said in theirs.items()
        if said == "ok" and any(each.is_error for each in ours[name]) and (peer, name) not in REFUSED_BY_THE_SERVER
    }
    silent = {
        name: said
        for name, said in theirs.items()
        if said != "ok" and not loud(ours[name]) and name not in LEFT_TO_A_RUN
    }
    assert not refused
    assert not silent


FILES_READ = {
    # The layout, where its code reads the file at first, and where the fix says that it is to be read.
    "own classes, in create": ("own", "create", "create"),
    "own classes, at the top": ("own", "top", "create"),
    "own classes, at a request": ("own", "_predict", "create"),
    "generated, in load": ("generated", "load", "load"),
    "generated, at the top": ("generated", "top", "load"),
    "generated, at a request": ("generated", "predict", "load"),
    "a step, at the top": ("step", "top", "top"),
}
CODE = {
    "own": ("main.py", byop_cases.GOOD),
    "generated": ("shop/model.py", generated_cases.WHOLE.partition("\n")[2]),
    "step": ("step/step.py", step_cases.DATA + step_cases.STEP),
}


def reading(layout: str, function: str, path: str) -> dict[str, str]:
    """A project whose code reads `rate.txt` by a path, in one of its functions or at its top."""
    file, text = CODE[layout]
    line = f"rate = float(open({path}).read())\n"
    text, found = re.subn(rf"(?m)^( *)def {function}\(.*\n", lambda head: f"{head[0]}{head[1]}    {line}", text)
    assert found == (function != "top")
    folder = "step/" if layout == "step" else ""
    return {
        file: text if found else f"from pathlib import Path\n{line}{text}",
        f"{folder}rate.txt": "3",
        f"{folder}shop/__init__.py": "",
    }


def laid_out(layout: str, root: Path, files: dict[str, str], release: str) -> tuple[dict[str, str], list[Finding]]:
    write(root, files)
    if layout == "step":
        return judged(make_spec(root, "python", release=release, model="step"), PythonStep(), files)
    code = {"module": "main.py"} if layout == "own" else {"load": "shop.model:load", "predict": "shop.model:predict"}
    return judged(byop_spec(root, artifacts=("rate.txt",), release=release, **code), Custom(), files)


@pytest.mark.parametrize("peer", [OLD, NEW])
@pytest.mark.parametrize("named", ["rate.txt", "RATE.txt", "/home/jo/rate.txt", "C:/models/rate.txt"])
def test_the_path_that_a_fix_names_is_one_that_the_platform_has(peer, named, tmp_path):
    release = peer.removeprefix("mac-").removesuffix(".3")
    bundles: dict[str, dict[str, dict[str, str]]] = {}
    for name, (layout, first, then) in FILES_READ.items():
        if layout == "step" and peer == OLD:
            continue  # one bare file, which brings no other
        _, found = laid_out(layout, tmp_path / name, reading(layout, first, repr(named)), release)
        (said,) = [each for each in found if each.level is not Level.NOTE]
        way, expression = re.fullmatch(r"(write |read it in .*: )(.+)", said.fix).groups()
        assert (way == "write ") == (first == then), name
        made, found = laid_out(layout, tmp_path / name, reading(layout, then, expression), release)
        assert loud(found) == [], name
        bundles.setdefault("step_oracle.py" if layout == "step" else "byop_oracle.py", {})[name] = made
    for oracle, each in bundles.items():
        assert asked(peer, oracle, each, tmp_path) == dict.fromkeys(each, "ok")


def test_what_is_left_to_a_run_is_a_case():
    assert LEFT_TO_A_RUN.keys() <= byop_calls.LIVE.keys() | generated_cases.CASES.keys() | step_cases.LIVE.keys()
