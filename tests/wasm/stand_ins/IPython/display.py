from unittest.mock import MagicMock

HTML = Image = SVG = MagicMock


def display(*values, **_):
    for value in values:
        print(repr(value))
