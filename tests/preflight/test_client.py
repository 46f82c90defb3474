"""What a model's process says of an error is a stranger's: it is taken as it is, or not at all."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from hatch_wallaroo.preflight.client import _told


@pytest.mark.parametrize(
    ("extra", "told"),
    [
        (b'{"message": "no", "details": ["a", "", "b"], "code": 400}', ("no", ("a", "b"), 400)),
        (b'{"message": ["no"], "details": 5, "code": "x"}', ("['no']", (), 500)),
        (b'{"details": null, "code": null}', ("", (), 500)),
        (b"[1]", None),
        (b"[" * 100_000, None),
        (b"\xff", None),
        (None, None),
    ],
)
def test_what_stands_beside_an_error(extra, told):
    made = _told(SimpleNamespace(extra_info=extra))
    assert (made and (str(made), made.details, made.code)) == told
