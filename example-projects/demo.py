"""Build one of the example projects with this checkout, and show what came out.

Run as `hatch run demo [EXAMPLE]`, from anywhere. `hatch build` inside an example does the same
once hatch-wallaroo can be installed by name.
"""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

HERE = Path(__file__).parent
DEFAULT = "byop-generated"


def main(arguments: list[str]) -> int:
    examples = sorted(path.parent.name for path in HERE.glob("*/pyproject.toml"))
    name = arguments[0] if arguments else DEFAULT
    if name not in examples:
        print(f"there is no example {name!r}; the examples are {', '.join(examples)}", file=sys.stderr)
        return 2
    project = HERE / name
    print(f"Building example-projects/{name}\n", flush=True)
    done = subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wallaroo"], cwd=project, check=False)
    if done.returncode:
        return done.returncode
    for path in sorted((project / "dist").glob("*.wallaroo.json")):
        show(path)
    return 0


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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
