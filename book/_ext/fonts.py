"""The part of a font that the book shows."""

from fontTools import subset

OPTIONS = subset.Options(flavor="woff", layout_features=[], hinting=False)


def load(file):
    return subset.load_font(str(file), OPTIONS)


def save_part(font, characters, target):
    """Write what draws these characters, given by their codes, to a file."""
    subsetter = subset.Subsetter(OPTIONS)
    subsetter.populate(unicodes=characters)
    subsetter.subset(font)
    subset.save_font(font, target, OPTIONS)
