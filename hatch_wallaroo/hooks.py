"""What Hatch asks for; each face is imported only when it is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatchling.plugin import hookimpl

if TYPE_CHECKING:
    from hatch_wallaroo.plugin.build_hook import WallarooBuildHook
    from hatch_wallaroo.plugin.builder import WallarooBuilder
    from hatch_wallaroo.plugin.publisher import WallarooPublisher
    from hatch_wallaroo.plugin.template import WallarooTemplate


@hookimpl
def hatch_register_build_hook() -> type[WallarooBuildHook]:
    from hatch_wallaroo.plugin.build_hook import WallarooBuildHook

    return WallarooBuildHook


@hookimpl
def hatch_register_builder() -> type[WallarooBuilder]:
    from hatch_wallaroo.plugin.builder import WallarooBuilder

    return WallarooBuilder


@hookimpl
def hatch_register_publisher() -> type[WallarooPublisher]:
    from hatch_wallaroo.plugin.publisher import WallarooPublisher

    return WallarooPublisher


@hookimpl
def hatch_register_template() -> type[WallarooTemplate]:
    from hatch_wallaroo.plugin.template import WallarooTemplate

    return WallarooTemplate
