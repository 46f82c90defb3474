"""What a login service answers: how a login in the browser begins, how long a token lasts, why it says no."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hatch_wallaroo.platform.answers import Response
from hatch_wallaroo.platform.errors import ConnectionFailedError
from hatch_wallaroo.platform.secret import Secret, is_token

LONGEST_LOGIN = 1800.0
LATEST = 10 * 365 * 86400.0
"""No token lasts longer: what says so is not believed."""


@dataclass(frozen=True)
class Device:
    """What begins a login in the browser."""

    code: Secret
    address: str
    user_code: str
    interval: float
    expires_in: float

    @classmethod
    def read(cls, response: Response) -> Device:
        made = response.json()
        made = made if isinstance(made, dict) else {}
        code = made.get("device_code")
        address = made.get("verification_uri_complete") or made.get("verification_uri")
        if not isinstance(code, str) or not is_token(code) or not isinstance(address, str):
            raise ConnectionFailedError(f"{response.asked} did not begin a login.", "Check the url.")
        if not address.startswith(("https://", "http://")):
            raise ConnectionFailedError(f"{response.asked} sends the browser to something that is no address.")
        user_code = made.get("user_code")
        return cls(
            code=Secret(code),
            address=address,
            user_code=user_code if isinstance(user_code, str) else "",
            interval=min(max(seconds(made.get("interval")) or 5.0, 1.0), 60.0),
            expires_in=min(seconds(made.get("expires_in")) or 600.0, LONGEST_LOGIN),
        )


def seconds(value: Any) -> float | None:
    """Seconds that a login service tells, a number or one in a string; None where it tells none that can be."""
    try:
        made = float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else -1.0
    except (ValueError, OverflowError):
        return None
    return made if 0 <= made <= LATEST else None


def error_of(response: Response) -> str:
    """The `error` of a refused grant; "" where there is none."""
    if response.status == 200:  # noqa: PLR2004  # HTTP
        return ""
    try:
        made = response.json()
    except ConnectionFailedError:
        return ""
    error = made.get("error") if isinstance(made, dict) else None
    return error if isinstance(error, str) else ""
