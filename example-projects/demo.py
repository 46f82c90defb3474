"""From a model repository to a prediction: build an example, publish it to a sandbox, deploy it there and ask it.

The last two need the platform's Python and uv on this machine; without them, or where the model's library is large, the
demo ends with models that are `ready`, and says why. Run as `hatch run demo [EXAMPLE]`, from anywhere. What it runs is
printed as a user would type it inside the example; `hatch build` does the same as its first command once hatch-wallaroo
can be installed by name.
"""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
DEFAULT = "byop-generated"
LARGE = {"hugging-face", "keras", "pytorch", "tensorflow"}
"""Families whose libraries are hundreds of megabytes: too much for a demo that nobody wants to wait for."""
PUBLISH = ["publish", "-p", "wallaroo", "-o", "workspace=demo", "-o", "create-workspace", "-o", "poll=1"]


def main(arguments: list[str]) -> int:
    examples = sorted(path.parent.name for path in HERE.glob("*/pyproject.toml"))
    name = arguments[0] if arguments else DEFAULT
    if name not in examples:
        print(f"there is no example {name!r}; the examples are {', '.join(examples)}", file=sys.stderr)
        return 2
    project = HERE / name
    manifests = build(project)
    if manifests is None:
        return 1
    for path in manifests:
        show(path)
    if any("image" in json.loads(path.read_bytes()) for path in manifests):
        print(
            f"\nAn image is published by way of an engine and a registry: example-projects/{name}/README.md says how."
        )
        return 0
    return publish(project, manifests)


def build(project: Path) -> list[Path] | None:
    """The manifests that building the example leaves; None where it fails."""
    say("hatchling build -t wallaroo", project)
    if run(["-m", "hatchling", "build", "-t", "wallaroo"], project):
        return None
    return sorted((project / "dist").glob("*.wallaroo.json"))


def show(path: Path) -> None:
    """Print what a manifest says and what its bundle holds."""
    manifest = json.loads(path.read_bytes())
    bundle = path.with_name(manifest["file"]["name"])
    print(f"\n{bundle.relative_to(HERE.parent)}  (sha256 {manifest['file']['sha256']})")
    if zipfile.is_zipfile(bundle) and bundle.suffix == ".zip":
        for entry in manifest["contents"]:
            print(f"  {entry['size']:>8,}  {entry['path']}")
    print(f"{path.relative_to(HERE.parent)}")
    for key in ("model", "version", "framework", "runtime", "route", "requirements", "facts"):
        print(f"  {key}: {json.dumps(manifest[key], ensure_ascii=False)}")


def publish(project: Path, manifests: list[Path]) -> int:
    """Publish to a sandbox of the release that the example is made for, which ends with the publishing, or the asking."""
    table = read_table(project)
    manifests = in_order(table, manifests)
    release = json.loads(manifests[0].read_bytes())["release"]["asked"]
    files = [path.relative_to(project).as_posix() for path in manifests]
    reason = not_run(manifests)
    option = [] if reason else ["--runtime"]
    say(" ".join(["hatch-wallaroo sandbox", *option, f"--release {release} -- hatch", *PUBLISH, *files]), project)
    hatch = [sys.executable, "-m", "hatch", *PUBLISH, *files]
    asking = [sys.executable, str(HERE / "demo_pipeline.py"), sample_of(table), *files, "--", *hatch]
    command = hatch if reason else asking
    code = run(["-m", "hatch_wallaroo", "sandbox", *option, "--release", release, "--", *command], project)
    if code == 0 and reason:
        print(f"\nNot deployed and asked: {reason}")
    return code


def read_table(project: Path) -> dict[str, Any]:
    """The example's [tool.wallaroo]."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    table: dict[str, Any] = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["wallaroo"]
    return table


def sample_of(table: dict[str, Any]) -> str:
    """The sample of the only model, or of the first step."""
    models = list(table.get("models", {}).values())
    return str((models[0] if models else table)["sample"])


def in_order(table: dict[str, Any], manifests: list[Path]) -> list[Path]:
    """Manifests in the order of the table, which is that of a pipeline's steps."""
    names = list(table.get("models", {}))
    found = {path: json.loads(path.read_bytes())["model"] for path in manifests}
    return sorted(manifests, key=lambda path: names.index(found[path]) if found[path] in names else 0)


def not_run(manifests: list[Path]) -> str:
    """Why the models are not run here, in a line; empty where each has its environment, which may be made now."""
    from hatch_wallaroo.preflight.preparing import Options, PreflightError, UnresolvedError, lacking, prepare, why_not
    from hatch_wallaroo.preflight.subject import of_manifest

    for path in manifests:
        manifest = json.loads(path.read_bytes())
        subject = of_manifest(manifest, path.with_name(manifest["file"]["name"]))
        reason = why_not(subject.framework)
        lack = lacking(subject.python)
        if reason:
            return reason
        if subject.framework.family in LARGE:
            return (
                f"the libraries of {subject.framework.name} are large; hatch-wallaroo sandbox --runtime installs them"
            )
        if lack:
            return f"{lack} ({lack.fix})"
        try:
            prepare(subject, Options(), lambda line: print(line, file=sys.stderr))
        except PreflightError as error:
            return f"{error} ({error.fix})"
        except UnresolvedError as error:
            return error.findings[0].message
    return ""


def run(arguments: list[str], project: Path) -> int:
    return subprocess.run([sys.executable, *arguments], cwd=project, check=False).returncode


def say(command: str, project: Path) -> None:
    print(f"\n{project.relative_to(HERE.parent).as_posix()}$ {command}", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
