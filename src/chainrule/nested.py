"""Lists, tuples and dicts in one another, such as the arguments of a function or of an index."""

import copy

NESTS = (tuple, list, dict)


def each(f, structure):
    """`structure` with f applied to every leaf of its nested lists, tuples and dicts."""
    if not isinstance(structure, NESTS):
        return f(structure)
    if not isinstance(structure, dict):
        parts = [each(f, part) for part in structure]
        return getattr(structure, "_make", type(structure))(parts)  # a named tuple has its own
    made = copy.copy(structure)
    for key, part in structure.items():
        made[key] = each(f, part)
    return made


def leaves(structure):
    """The leaves of nested lists, tuples and dicts, in order.

    >>> leaves([1, (2, {"three": 3})])
    [1, 2, 3]
    """
    if not isinstance(structure, NESTS):
        return [structure]
    parts = structure.values() if isinstance(structure, dict) else structure
    return [leaf for part in parts for leaf in leaves(part)]


def repack(structure, values):
    """The nesting of `structure` around other leaves."""
    values = iter(values)
    return each(lambda _: next(values), structure)
