"""Matplotlib has parts in C that are not to be had for WebAssembly here: this one swallows what is drawn."""

import sys
from unittest.mock import MagicMock

rcParams = {}
for name in ("patches", "patheffects", "ticker"):
    sys.modules[f"matplotlib.{name}"] = MagicMock()
