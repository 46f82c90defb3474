"""The picture of a sandbox in a browser, docs/pictures/sandbox.png: `hatch run screenshot:take`.

An example is built, published to a sandbox with a runtime, and asked for the first row of its sample by the form of its
page. Needs a Chromium, and what `hatch-wallaroo sandbox --runtime` needs. Fonts differ from machine to machine, and so
would the bytes: tests/sandbox/test_browser.py holds the pages to what they show, and this picture is taken when they
change.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
PICTURE = Path(__file__).parent / "pictures" / "sandbox.png"
EXAMPLE = REPOSITORY / "example-projects" / "byop-generated"
PUBLISH = ("publish", "-p", "wallaroo", "-o", "workspace=flowers", "-o", "create-workspace")
SIZE = {"width": 880, "height": 560}
FLAGS = ("--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync")


def main() -> int:
    """Make the example beside a sandbox that runs this script once more."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / EXAMPLE.name
        shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns("dist", "__pycache__"))
        build = [sys.executable, "-m", "hatchling", "build", "-t", "wallaroo"]
        subprocess.run(build, cwd=project, check=True, stdout=subprocess.DEVNULL)
        (manifest,) = project.glob("dist/*.wallaroo.json")
        release = json.loads(manifest.read_bytes())["release"]["asked"]
        sandbox = [sys.executable, "-m", "hatch_wallaroo", "sandbox", "--runtime", "--release", release]
        inside = [sys.executable, __file__, str(project / "sample.json")]
        return subprocess.run([*sandbox, "--", *inside], cwd=project, check=False).returncode


def take(sample: Path) -> None:
    """Publish, ask by the form, and take the picture; the variables say where the sandbox is."""
    from playwright.sync_api import sync_playwright

    subprocess.run([sys.executable, "-m", "hatch", *PUBLISH], check=True)
    row = json.loads(sample.read_bytes())["inputs"][0]
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.exit("no Chromium is installed")
    flags = [*FLAGS, *(["--no-sandbox"] if os.getuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        page = browser.new_page(viewport=SIZE, color_scheme="light", java_script_enabled=False)
        page.goto(f"{os.environ['WALLAROO_URL']}/versions/1")
        page.fill("#user", os.environ["WALLAROO_USER"])
        page.fill("#password", os.environ["WALLAROO_PASSWORD"])
        page.get_by_role("button", name="Sign in").click()
        for number, value in enumerate(row.values()):
            page.fill(f"#field{number}", json.dumps(value))
        page.get_by_role("button", name="Ask the model").click()
        page.locator("#answer table").wait_for()
        page.screenshot(path=PICTURE)
        browser.close()
    print(f"{PICTURE.name}: {PICTURE.stat().st_size:,} bytes")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        take(Path(sys.argv[1]))
    else:
        sys.exit(main())
