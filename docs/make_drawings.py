"""The drawings of docs/pictures, made of the .dot files beside them by Graphviz: `hatch run docs:drawings`.

The picture keeps its source's digest, by which tests/docs/test_architecture.py sees that it is up to date on machines
without Graphviz.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent / "pictures"


def mark(source: Path) -> str:
    """What a picture says of the source it was made of."""
    return f"<!-- {source.name}, sha256:{hashlib.sha256(source.read_bytes()).hexdigest()} -->"


def main() -> None:
    dot = shutil.which("dot")
    if dot is None:
        sys.exit("Graphviz is not installed: apt-get install graphviz, or see https://graphviz.org/download/")
    for source in sorted(FOLDER.glob("*.dot")):
        done = subprocess.run([dot, "-Tsvg", str(source)], check=True, capture_output=True, encoding="utf-8")
        head, _, body = done.stdout.partition("<svg ")
        if not head:
            sys.exit(f"{source.name}: no SVG came of it")
        source.with_suffix(".svg").write_text(f"{mark(source)}\n<svg {body}", encoding="utf-8")


if __name__ == "__main__":
    main()
