"""What a browser sees of a sandbox: run by the peer `browser`, prints JSON.

    python browser_session.py CHROMIUM FOLDER < told.json

`told.json` has the sandbox's url, user, password, a text that is markup, and the address of a version full of it. Screenshots go to FOLDER.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    *(["--no-sandbox"] if os.getuid() == 0 else []),
)
SIZES = {"wide": (1100, 800), "narrow": (360, 740)}


class Session:
    """One visitor: a size of window, a scheme of colours, with JavaScript or without."""

    def __init__(self, browser, told, folder: Path, size: str, scheme: str, *, javascript: bool) -> None:
        width, height = SIZES[size]
        self.context = browser.new_context(
            color_scheme=scheme, viewport={"width": width, "height": height}, java_script_enabled=javascript
        )
        self.told, self.folder = told, folder
        self.name = f"{size}-{scheme}-{'with' if javascript else 'without'}-javascript"
        self.javascript = javascript
        self.page = self.context.new_page()
        self.seen = {"asked": [], "dialogs": [], "console": [], "overflow": [], "shots": []}
        self.page.on("request", lambda request: self.seen["asked"].append(request.url))
        self.page.on("console", lambda said: self.seen["console"].append(said.text))
        self.page.on("dialog", lambda dialog: (self.seen["dialogs"].append(dialog.message), dialog.dismiss()))

    def shoot(self, name: str) -> None:
        path = self.folder / f"{self.name}-{name}.png"
        self.page.screenshot(path=path, full_page=True)
        self.seen["shots"].append(path.name)
        if self.javascript:
            wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
            if self.page.evaluate(wide):
                self.seen["overflow"].append(name)

    def heading(self) -> str:
        return self.page.inner_text("h1")

    def ask(self) -> None:
        """Fill in the form by its labels: something that cannot be sent first, then a row."""
        page, seen = self.page, self.seen
        seen["labels"] = page.locator("main label").all_inner_texts()
        self.fill(x="much", times="4")
        page.get_by_role("button", name="Ask the model").click()
        page.locator("#field0:focus").wait_for()
        seen["refused"] = page.locator("[aria-invalid] + .problem").all_inner_texts()
        self.shoot("refused")
        self.fill(x="2.5", name=self.told["evil"], measures="1, 2, 3")
        page.get_by_label("ok bool").select_option("true")
        page.get_by_role("button", name="Ask the model").click()
        page.locator("#answer:focus").wait_for()
        seen["answer"] = page.locator("#answer tbody tr").all_inner_texts()
        seen["kept"] = page.get_by_label("x float64").input_value()
        self.shoot("answer")

    def fill(self, **typed) -> None:
        for name, value in typed.items():
            self.page.locator(f"label:has-text('{name} ') + *").fill(value)

    def run(self) -> dict:
        page, seen = self.page, self.seen
        page.goto(f"{self.told['url']}/versions/1")
        seen["first"] = self.heading()
        seen["ground"] = page.locator("body").evaluate("each => getComputedStyle(each).backgroundColor")
        self.shoot("login")
        page.fill("label:has-text('User') + input", self.told["user"])
        page.fill("label:has-text('Password') + input", "wrong")
        page.keyboard.press("Enter")
        seen["wrong"] = page.inner_text("[role=alert]")
        self.shoot("wrong")
        page.fill("#password", self.told["password"])
        page.get_by_role("button", name="Sign in").click()
        seen["after"] = [self.heading(), page.url]
        page.get_by_role("link", name="Wallaroo sandbox").click()
        seen["way"] = [self.heading()]
        self.shoot("workspaces")
        for link, name in (("flowers", "workspace"), ("grader", "model"), ("Version 1", "version")):
            page.get_by_role("link", name=link, exact=True).click()
            seen["way"].append(self.heading())
            self.shoot(name)
        seen["status"] = page.inner_text(".title .status")
        seen["members"] = page.locator("section:has(> #contents) tbody tr").all_inner_texts()
        seen["cookies"] = [
            {key: each[key] for key in ("httpOnly", "sameSite", "expires")} for each in self.context.cookies()
        ]
        if self.javascript:
            seen["readable"] = page.evaluate("document.cookie")
        self.ask()
        page.goto(self.told["url"] + self.told["hostile"])
        seen["hostile"] = self.heading()
        self.shoot("hostile")
        seen["missing"] = [page.goto(f"{self.told['url']}/no-such-page").status, self.heading()]
        self.shoot("missing")
        page.keyboard.press("Tab")
        seen["focus"] = page.locator(":focus").inner_text()
        page.goto(f"{self.told['url']}/versions/1")
        page.get_by_role("button", name="Sign out").click()
        seen["out"] = self.heading()
        page.go_back()
        seen["back"] = self.heading()
        self.context.close()
        return seen


def main() -> None:
    chromium, folder = sys.argv[1], Path(sys.argv[2])
    told = json.load(sys.stdin)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS), headless=True)
        found = {}
        for size, scheme, javascript in (
            ("wide", "light", True),
            ("narrow", "dark", True),
            ("wide", "dark", False),
            ("narrow", "light", False),
        ):
            session = Session(browser, told, folder, size, scheme, javascript=javascript)
            found[session.name] = session.run()
        browser.close()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
