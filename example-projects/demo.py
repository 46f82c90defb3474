"""From a model repository to a model that is `ready`: build an example, publish it to a sandbox, show what came out.

Run as `hatch run demo [EXAMPLE]`, from anywhere. What it runs is printed as a user would type it inside
the example; `hatch build` does the same as its first command once hatch-wallaroo can be installed by name.
"""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

HERE = Path(__file__).parent
DEFAULT = "byop-generated"
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
    """Publish to a sandbox of the release that the example is made for, which ends with the publishing."""
    release = json.loads(manifests[0].read_bytes())["release"]["asked"]
    files = [path.relative_to(project).as_posix() for path in manifests]
    say(f"hatch-wallaroo sandbox --release {release} -- hatch {' '.join([*PUBLISH, *files])}", project)
    hatch = [sys.executable, "-m", "hatch", *PUBLISH, *files]
    return run(["-m", "hatch_wallaroo", "sandbox", "--release", release, "--", *hatch], project)


def run(arguments: list[str], project: Path) -> int:
    return subprocess.run([sys.executable, *arguments], cwd=project, check=False).returncode


def say(command: str, project: Path) -> None:
    print(f"\n{project.relative_to(HERE.parent).as_posix()}$ {command}", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
