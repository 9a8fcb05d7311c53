"""The reference, made from the engine's docstrings.

A docstring is plain text: paragraphs, examples with their prompts, and lines of a name,
two spaces and its meaning. Here those lines become a list of definitions, names in
backquotes become code, and the names of the public face become links.
"""

import inspect
import re
from pkgutil import resolve_name

from sphinx.util.docutils import SphinxDirective

import chainrule
from chainrule.library import more

MEANING = re.compile(r"(\S+(?: \S+)*) {2,}(\S.*)")


def restructured(lines):
    """A docstring's lines as reStructuredText.

    >>> for line in restructured(["x_dot  a direction,", "       |x| = 1"]):
    ...     print(line)
    ``x_dot``
        a direction, \\|x\\| = 1
    <BLANKLINE>
    """
    out = []
    for block in "\n".join(lines).strip("\n").split("\n\n"):
        given = block.split("\n")
        if given[0].lstrip().startswith(">>>"):
            out += ["", *given, ""]
        elif given[0].startswith("    "):
            out += ["::", "", *given, ""]
        else:
            out += [*paragraphs(given), ""]
    return out


def paragraphs(lines):
    """The lines of one block: sentences, and names with their meanings."""
    parts = []  # pairs: a name, or None for sentences, and the words
    for line in lines:
        found = MEANING.fullmatch(line)
        if found:
            parts.append([found[1], found[2]])
        elif parts and (line.startswith(" ") or parts[-1][0] is None):
            parts[-1][1] += " " + line.strip()
        else:
            parts.append([None, line])
    for name, words in parts:
        if name is None:
            yield from ["", inline(words)]
        else:
            yield from [f"``{name}``", "    " + inline(words)]


def inline(words):
    """Words with their code marked, and all else taken literally.

    >>> inline("as `jvp` does, 0 * `f(x)`")
    'as :py:obj:`jvp <chainrule.jvp>` does, 0 \\\\* ``f(x)``'
    """
    pieces = re.split(r"`([^`]+)`", words)
    pieces[::2] = [re.sub(r"([\\*|_])", r"\\\1", piece) for piece in pieces[::2]]
    pieces[1::2] = map(code, pieces[1::2])
    return "".join(pieces)


def code(piece):
    """A piece of code; a link where it names what `chainrule` offers."""
    name = piece.removeprefix("chainrule.")
    return f":py:obj:`{piece} <chainrule.{name}>`" if linked(name) else f"``{piece}``"


def linked(name):
    thing = vars(chainrule).get(name)
    return len(name) > 1 and callable(thing) and not name.startswith("_")


def process(app, what, name, obj, options, lines):
    lines[:] = restructured(lines)


def entries(path, names):
    """Directives that describe these names of the module at `path`, each thing once."""
    things = {name: getattr(resolve_name(path), name) for name in names}
    things = {name: thing for name, thing in things.items() if callable(thing)}
    place = {thing: f"{path}.{name}" for name, thing in things.items()}
    place |= {t: f"{path}.{n}" for n, t in things.items() if n == t.__name__}
    if path != "chainrule":
        place |= {
            t: f"chainrule.{n}" for n, t in vars(chainrule).items() if callable(t)
        }

    def order(item):  # first what is the module's own
        return not item[1].__module__.startswith(path), item[0].lower()

    for name, thing in sorted(things.items(), key=order):
        if place[thing] == f"{path}.{name}":
            kind = "class" if inspect.isclass(thing) else "function"
            yield f".. auto{kind}:: {path}.{name}\n"
        else:
            yield f".. py:function:: {name}\n   :module: {path}\n"
            yield f"   As :py:func:`{place[thing]}`.\n"


def sign(app, what, name, obj, options, arguments, returned):
    """Without what a row of the table passes on to NumPy."""
    return arguments and arguments.replace(", **params", ""), returned


class Functions(SphinxDirective):
    """The functions that a module defines and `chainrule` offers."""

    required_arguments = 1

    def names(self, module):
        for name in [*dir(chainrule), *more.SPECIAL]:
            home = getattr(getattr(chainrule, name), "__module__", None)
            if home == module.__name__ and not name.startswith("_"):
                yield name

    def run(self):
        names = self.names(resolve_name(self.arguments[0]))
        return self.parse_text_to_nodes("\n".join(entries("chainrule", names)))


class Offered(SphinxDirective):
    """What a module offers under its own name: what is in its `__all__`."""

    required_arguments = 1

    def run(self):
        [path] = self.arguments
        names = resolve_name(path).__all__
        return self.parse_text_to_nodes("\n".join(entries(path, names)))


class Methods(SphinxDirective):
    """The functions of `chainrule` that are methods of its Tensor, as links."""

    def run(self):
        offered = {n: thing for n, thing in vars(chainrule).items() if linked(n)}
        name_of = {thing: name for name, thing in offered.items()}
        links = []
        for name in dir(chainrule.Tensor):
            method = inspect.getattr_static(chainrule.Tensor, name)
            target = (
                name if name in offered else callable(method) and name_of.get(method)
            )
            if target and not isinstance(method, property):
                links.append(f":py:obj:`{name} <chainrule.{target}>`")
        return self.parse_text_to_nodes(" · ".join(links))


def setup(app):
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-docstring", process)
    app.connect("autodoc-process-signature", sign)
    app.add_directive("functions", Functions)
    app.add_directive("offered", Offered)
    app.add_directive("methods", Methods)
    return {"parallel_read_safe": True}
