"""Write docs/reference/: every page of it is made from the code, and a test for each says when it is behind.

`python docs/make_reference.py` writes all of them.
"""

from __future__ import annotations

from pathlib import Path

from reference_pages import commands, environment, findings, manifest, publishing, table

FOLDER = Path(__file__).with_name("reference")
PAGES = {
    "commands.md": commands.markdown,
    "environment.md": environment.markdown,
    "findings.md": findings.markdown,
    "manifest.md": manifest.markdown,
    "publishing.md": publishing.markdown,
    "table.md": table.markdown,
}

if __name__ == "__main__":
    for name, markdown in PAGES.items():
        (FOLDER / name).write_text(markdown(), encoding="utf-8", newline="\n")
