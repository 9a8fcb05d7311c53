# @title The public checks: run this cell first {display-mode: "form"}
# Every notebook that students get begins with this cell, and with the cases in it.
import traceback as _traceback

import numpy as np

PUBLIC = {}


def check(question):
    """Try a question's public cases, and say which of them fails and how."""
    for code, wanted in PUBLIC[question]:
        try:
            got = eval(code, globals())
        except Exception as error:
            frames = _traceback.extract_tb(error.__traceback__)[2:]
            where = f", in line {frames[-1].lineno} of {frames[-1].name}" if frames else ""
            if not frames and "NoneType" in str(error):
                return print(f"{question}: returned nothing yet.\n    {code}")
            missing = isinstance(error, NameError) and not frames
            what = f"{error} yet" if missing else f"raised {type(error).__name__}: {error}{where}"
            return print(f"{question}: not yet.\n    {code}\n    {what}")
        if got is None or got is ...:
            return print(f"{question}: returned nothing yet.\n    {code}")
        try:
            same = np.shape(got) == np.shape(wanted) and np.allclose(got, wanted, 1e-9, 1e-12)
        except (TypeError, ValueError):
            same = False
        if not same:
            return print(f"{question}: not yet.\n    {code}\n    got     {got}\n    wanted  {wanted}")
    return print(f"{question}: the public check passes. It is one case; your teacher's tests try others.")
