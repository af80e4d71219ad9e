"""Ranges of ports, both ends included, as sorted lists."""

from collections.abc import Iterable

Range = tuple[int, int]


def merged(ranges: Iterable[Range]) -> list[Range]:
    """Join ranges that overlap or touch."""
    joined: list[Range] = []
    for low, high in sorted(ranges):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], high))
        else:
            joined.append((low, high))
    return joined


def common(ranges: Iterable[Range], others: Iterable[Range]) -> list[Range]:
    """Give what two lists share."""
    others = list(others)
    shared = ((max(low, start), min(high, end)) for low, high in ranges for start, end in others)
    return merged((low, high) for low, high in shared if low <= high)


def without(ranges: Iterable[Range], others: Iterable[Range]) -> list[Range]:
    """Give what the first list has and the second has not."""
    remaining = merged(ranges)
    for start, end in others:
        remaining = [
            piece
            for low, high in remaining
            for piece in ((low, min(high, start - 1)), (max(low, end + 1), high))
            if piece[0] <= piece[1]
        ]
    return merged(remaining)
