"""The kinds of values that an image's table has: names of images and registries, of builders and of packages."""

from __future__ import annotations

from typing import ClassVar

from hatch_wallaroo.config.kinds import Matching

_IMAGE_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_IMAGE_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?"
_IMAGE_PATH = rf"(?:{_IMAGE_HOST}/)?{_IMAGE_PART}(?:/{_IMAGE_PART})*"
_IMAGE_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"


class ImageReference(Matching):
    """A container image, with tag or digest."""

    words: ClassVar[str] = "an image's name"
    form: ClassVar[str] = rf"{_IMAGE_PATH}(?::{_IMAGE_TAG})?(?:@sha256:[0-9a-f]{{64}})?"
    advice: ClassVar[str] = "write [REGISTRY/]NAME[:TAG], in lower case"


class ImageRepository(Matching):
    """A registry, with a path in it or without."""

    words: ClassVar[str] = "a registry"
    form: ClassVar[str] = rf"{_IMAGE_HOST}(?:/{_IMAGE_PART})*"
    advice: ClassVar[str] = "write HOST[:PORT][/PATH], without https:// and without a user"


class ImageTag(Matching):
    """A tag of an image."""

    words: ClassVar[str] = "a tag"
    form: ClassVar[str] = _IMAGE_TAG
    advice: ClassVar[str] = "letters, digits, _, . and -, at most 128"


class Builder(Matching):
    """A builder of docker buildx."""

    words: ClassVar[str] = "a builder's name"
    form: ClassVar[str] = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
    advice: ClassVar[str] = "docker buildx ls shows them"


class DebianPackage(Matching):
    """A Debian package, with a version or without."""

    words: ClassVar[str] = "a Debian package"
    form: ClassVar[str] = r"[a-z0-9][a-z0-9+.-]+(?:=[A-Za-z0-9.+:~-]+)?"
    advice: ClassVar[str] = "write its name, and where wanted =VERSION"
