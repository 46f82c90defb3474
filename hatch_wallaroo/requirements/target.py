"""The environment that requirements are for: the platform's Python on Linux."""

from __future__ import annotations

from dataclasses import dataclass

from hatch_wallaroo.config.spec import ModelSpec

MACHINES = {"x86": "x86_64", "arm": "aarch64", "power10": "ppc64le"}
"""The platform's names of processors and Linux's."""

_OF_IMAGES = {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}
"""The platforms of container images."""

PATCHES = {"3.8": "3.8.18", "3.9": "3.9.18", "3.10": "3.10.16"}
"""Full versions for markers on `python_full_version`; 3.10.16 was seen on a 2025.2 platform."""


@dataclass(frozen=True)
class Target:
    """`python` is a minor version (`3.8`), `machine` as Linux names it."""

    python: str
    machine: str

    def __str__(self) -> str:
        return f"Python {self.python} on Linux {self.machine}"

    @property
    def full_python(self) -> str:
        return PATCHES.get(self.python, f"{self.python}.0")

    def markers(self, extra: str = "") -> dict[str, str]:
        """Every environment marker of PEP 508, so that nothing of this machine shines through."""
        return {
            "extra": extra,
            "implementation_name": "cpython",
            "implementation_version": self.full_python,
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": self.full_python,
            "python_version": self.python,
            "sys_platform": "linux",
        }


def target(spec: ModelSpec) -> Target:
    """What a model's requirements are installed on."""
    if spec.image and spec.image.platform:
        return Target(spec.release.python, _OF_IMAGES[spec.image.platform])
    return Target(spec.release.python, MACHINES.get(spec.arch or "x86", "x86_64"))
