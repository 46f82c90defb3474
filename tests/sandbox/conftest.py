"""What tests of a sandbox with a runtime share."""

from __future__ import annotations

import pytest

from hatch_wallaroo.preflight.preparing import lacking
from support import peers


@pytest.fixture(scope="module")
def runtime_cache():
    """The environments of the runtime, made once and kept beside the peers."""
    peers.needs_marker("the runtime of the SDK")
    lack = lacking("3.10")
    if lack is not None:
        peers.missing(f"{lack}: {lack.fix}")
    folder = peers.folder() / "preflight"
    with pytest.MonkeyPatch.context() as changed:
        changed.setenv("HATCH_WALLAROO_CACHE_DIR", str(folder))
        yield folder
