"""The README's example prints what it says it prints."""

import contextlib
import io
import re


def test_the_example_prints_what_it_says(root):
    readme = (root / "README.md").read_text(encoding="utf-8")
    code, printed = re.search(r"```python\n(.*?)```\n+```text\n(.*?)```", readme, re.DOTALL).groups()
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(code, {})
    assert out.getvalue() == printed
