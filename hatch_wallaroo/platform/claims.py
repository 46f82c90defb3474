"""Who a token says it is for. Nothing is trusted because of it: only names are taken from it."""

from __future__ import annotations

import base64
import binascii
import json

from hatch_wallaroo.platform.secret import Secret

_NAMES = ("preferred_username", "email")


def names_of(token: Secret) -> tuple[str, ...]:
    """The names of the user in a JWT, the login name first; () where the token is none or does not tell."""
    parts = token.reveal().split(".")
    if len(parts) != 3:  # noqa: PLR2004  # header, payload, signature
        return ()
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return ()
    if not isinstance(payload, dict):
        return ()
    found = [payload.get(key) for key in _NAMES]
    names = [each for each in found if isinstance(each, str) and each.isprintable() and 0 < len(each) < 300]  # noqa: PLR2004  # e-mail addresses are shorter
    return tuple(dict.fromkeys(names))
