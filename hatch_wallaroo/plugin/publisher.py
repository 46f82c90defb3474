"""`hatch publish -p wallaroo`: from Hatch's options and tables to a publication, and back to an exit code."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hatch.publish.plugin.interface import PublisherInterface

_FLAGS = ("repo", "user", "auth", "ca_cert")
_UNUSED = {"client_cert": "--client-cert", "client_key": "--client-key", "initialize_auth": "--initialize-auth"}


class WallarooPublisher(PublisherInterface):
    """The publisher `wallaroo`. It reads manifests, never the project's metadata: any checkout of any age will do."""

    PLUGIN_NAME = "wallaroo"

    def publish(self, artifacts: list[str], options: dict[str, Any]) -> None:
        """Publish the named bundles, or those in dist/. Leaves with an exit code where something fails."""
        try:
            import urllib3  # noqa: F401 - only whether it is here
        except ModuleNotFoundError:
            self.app.abort(
                "hatch-wallaroo[publish] is not installed beside Hatch: pipx inject hatch 'hatch-wallaroo[publish]', "
                "or uv tool install hatch --with 'hatch-wallaroo[publish]'"
            )
        try:
            code = self._publish(artifacts, options)
        except BrokenPipeError:  # what reads the output has seen enough
            raise
        except Exception:  # noqa: BLE001 - a mistake of ours may be any of them
            # Hatch would show it too, but with HATCH_DEBUG also the values in every frame: passwords and tokens.
            traceback.print_exc()
            code = 1
        if code:
            sys.exit(code)

    def _publish(self, artifacts: list[str], options: dict[str, Any]) -> int:
        from hatch_wallaroo.exit_codes import INTERRUPTED
        from hatch_wallaroo.platform.errors import PlatformError
        from hatch_wallaroo.platform.packages import find
        from hatch_wallaroo.platform.publish_settings import merge
        from hatch_wallaroo.platform.publishing import publish, say
        from hatch_wallaroo.platform.results import exit_code
        from hatch_wallaroo.platform.screen import screen

        console = self.app.console
        shown = screen(
            sys.stderr,
            sys.stdout,
            verbosity=getattr(self.app, "verbosity", 0),
            color=not console.no_color,
            interactive=console.is_interactive or (console.no_color and _may_interact()),
        )
        given, unused = command_line()
        try:
            settings = merge(options, os.environ, self.project_config, self.plugin_config, flags=given)
            for note in (*settings.notes, *(f"{flag} is not used for Wallaroo." for flag in unused)):
                shown.warning(note)
            manifests = find(artifacts, root=Path(self.root))
            # In CI nobody would follow a login in the browser: it would wait for its end, and fail then.
            somebody = settings.prompt and (sys.stderr.isatty() or settings.auth == "sso")
            tell = shown.warning if somebody else None
            return exit_code(publish(manifests, settings, screen=shown, tell=tell))
        except PlatformError as error:
            say(shown, error)
            return error.exit_code
        except KeyboardInterrupt:
            shown.error("interrupted; publishing again sends nothing twice, and waits on")
            return INTERRUPTED


def _may_interact() -> bool:
    """Whether nobody said --no-interactive: without colours, Hatch's console takes no terminal for one."""
    import click

    context = click.get_current_context(silent=True)
    return context is not None and context.find_root().params.get("interactive") is not False


def command_line() -> tuple[Mapping[str, str], list[str]]:
    """Hatch's own flags that were typed on the command line, and those typed in vain.

    Hatch keeps them from publishers other than `index`. They are taken from the command line only: what
    HATCH_INDEX_USER and HATCH_INDEX_AUTH hold is for a package index, and must never reach Wallaroo.
    """
    import click

    context = click.get_current_context(silent=True)
    if context is None:
        return {}, []
    typed = {
        name: value
        for name, value in context.params.items()
        if (source := context.get_parameter_source(name)) is not None and source.name == "COMMANDLINE" and value
    }
    given = {name: str(typed[name]) for name in _FLAGS if name in typed}
    return given, [flag for name, flag in _UNUSED.items() if name in typed]
