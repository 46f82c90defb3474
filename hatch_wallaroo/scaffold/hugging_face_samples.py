"""Inputs to try a model with: a picture, and a sound."""

from __future__ import annotations

from math import pi, sin, sqrt

_ORANGE, _BLACK = [255, 140, 0], [0, 0, 0]
_RATE, _PITCH, _SECONDS = 16_000, 440, 0.2


def picture(height: int, width: int) -> list[list[list[int]]]:
    """An orange on black, row by row, each point red, green and blue."""
    rows, radius = [], min(height, width) / 3
    for y in range(height):
        lit = 2 * int(sqrt(max(0.0, radius**2 - (y - (height - 1) / 2) ** 2)))
        left = (width - lit) // 2
        rows.append([_BLACK] * left + [_ORANGE] * lit + [_BLACK] * (width - lit - left))
    return rows


def tone() -> list[float]:
    """The concert pitch for a fifth of a second, 16,000 numbers a second."""
    return [round(0.5 * sin(2 * pi * _PITCH * step / _RATE), 3) for step in range(int(_RATE * _SECONDS))]
