"""The documentation as a site: `hatch run docs:build` writes it to site/, and takes a broken link for an error.

Links into the internet are another matter: `hatch run docs:links` follows them, where there is an internet to ask.
"""

from __future__ import annotations

from hatch_wallaroo.__about__ import __version__

project = "hatch-wallaroo"
author = "The hatch-wallaroo maintainers"
project_copyright = author
version = release = __version__

extensions = ["myst_parser"]
myst_heading_anchors = 4
myst_enable_extensions = ["deflist", "fieldlist"]
nitpicky = True
exclude_patterns: list[str] = []

html_theme = "furo"
html_title = f"hatch-wallaroo {version}"
html_show_sphinx = False
