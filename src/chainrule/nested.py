"""Lists, tuples and dicts in one another, such as the arguments of a function or of an index."""

import copy


def each(f, structure):
    """`structure` with f applied to every leaf of its nested lists, tuples and dicts."""
    if isinstance(structure, dict):
        made = copy.copy(structure)
        for key, part in structure.items():
            made[key] = each(f, part)
        return made
    if isinstance(structure, list | tuple):
        return rebuilt(structure, [each(f, part) for part in structure])
    return f(structure)


def rebuilt(y, parts):
    """`parts` in the kind of sequence that `y` is: a tuple, a list, a named tuple."""
    return y._make(parts) if hasattr(y, "_make") else type(y)(parts)


def leaves(structure):
    """The leaves of nested lists, tuples and dicts, in order.

    >>> leaves([1, (2, {"three": 3})])
    [1, 2, 3]
    """
    found: list = []
    each(found.append, structure)
    return found


def repack(structure, values):
    """The nesting of `structure` around other leaves."""
    values = iter(values)
    return each(lambda _: next(values), structure)
