"""What can go wrong with an engine or a registry, in words."""

from __future__ import annotations


class ImageError(Exception):
    """Ends what was asked of an engine: `message` is what happened, `fix` what to do, `log` its last lines."""

    def __init__(self, message: str, fix: str = "", log: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.log = log


class NoEngineError(ImageError):
    """No engine was reached."""


class RegistryError(ImageError):
    """A registry said no, or was not reached; `login`: it was the login that it did not take."""

    def __init__(self, message: str, fix: str = "", *, login: bool = False) -> None:
        super().__init__(message, fix)
        self.login = login
