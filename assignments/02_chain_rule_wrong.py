# Known wrong answers of chapter 2. Each takes the place of the right one.
# %% the order of application
# fails: the first jacobian first, only square jacobians, no empty chain, the product of all jacobians
def pull_back(jacobians, v):
    for J in jacobians:
        v = v @ J
    return v


# %% a tangent instead of a cotangent
# fails: the first jacobian first, a column instead of a row, only square jacobians, no empty chain, the product of all jacobians
def pull_back(jacobians, v):
    for J in reversed(jacobians):
        v = J @ v
    return v


# %% the product of all
# fails: no empty chain, the product of all jacobians
def pull_back(jacobians, v):
    product = jacobians[-1]
    for J in jacobians[-2::-1]:
        product = product @ J
    return v @ product


# %% walks every path
# fails: every path is walked
def sum_over_paths(arrows, start, end):
    if start == end:
        return 1.0
    return sum(local * sum_over_paths(arrows, there, end) for here, there, local in arrows if here == start)


# %% overwrites what has come before
# fails: only one of the paths, two arrows between the same two taken for one, every path is walked
def sum_over_paths(arrows, start, end):
    total = {start: 1.0}
    for here, there, local in arrows:
        total[there] = total.get(here, 0.0) * local
    return total.get(end, 0.0)


# %% a table with one arrow for each pair
# fails: two arrows between the same two taken for one
def sum_over_paths(arrows, start, end):
    table = {(here, there): local for here, there, local in arrows}
    total = {start: 1.0}
    for (here, there), local in table.items():
        total[there] = total.get(there, 0.0) + total.get(here, 0.0) * local
    return total.get(end, 0.0)


# %% expects a path
# fails: a path where there is none
def sum_over_paths(arrows, start, end):
    total = {start: 1.0}
    for here, there, local in arrows:
        if here in total:
            total[there] = total.get(there, 0.0) + total[here] * local
    return total[end]


# %% from the end, without turning round
# fails: only one of the paths, every path is walked
def sum_over_paths(arrows, start, end):
    bar = {end: 1.0}
    for here, there, local in arrows:
        bar[here] = bar.get(here, 0.0) + bar.get(there, 0.0) * local
    return bar.get(start, 0.0)


# %% every source counts
# fails: a path where there is none
def sum_over_paths(arrows, start, end):
    total = {}
    for here, there, local in arrows:
        total[there] = total.get(there, 0.0) + total.get(here, 1.0) * local
    return total.get(end, 1.0)


# %% the factor itself
# fails: the factor itself
class Noted(Noted):
    def __mul__(self, other):
        if not isinstance(other, Noted):
            return self.make(self.value * other, [(self, other)])
        return self.make(self.value * other.value, [(self, self.value), (other, other.value)])

    __rmul__ = __mul__

    def make(self, value, parents):
        return Noted(value, self.arrows, self.counter, parents)


# %% a dictionary of arrows
# fails: one arrow for two uses
right = record


def record(program, value):
    arrows, start, end = right(program, value)
    table = {(here, there): local for here, there, local in arrows}
    return [(*ends, local) for ends, local in table.items()], start, end


# %% named by what it is worth
# fails: two values under one name, one arrow for the whole program
class Noted(Noted):
    def __init__(self, value, arrows, counter, parents=()):
        self.value, self.arrows, self.counter, self.name = value, arrows, counter, str(value)
        for parent, local in parents:
            arrows.append((parent.name, self.name, local))

    def make(self, value, parents):
        return Noted(value, self.arrows, self.counter, parents)


# %% from the result to the input
# fails: arrows in another order
right = record


def record(program, value):
    arrows, start, end = right(program, value)
    return arrows[::-1], start, end


# %% a slope in the place of a graph
# fails: one arrow for the whole program
right = record


def record(program, value):
    return [("x", "y", sum_over_paths(*right(program, value)))], "x", "y"


# %% one list for all programs
# fails: the arrows of an earlier program
tape = []


def record(program, value):
    x = Noted(value, tape, count_of_all)
    return tape, x.name, program(x).name


class Count:
    k = 0

    def __next__(self):
        self.k += 1
        return self.k


count_of_all = Count()


# %% numbers on the right alone
# fails: no plain number on the left
class Noted(Noted):
    __radd__ = __rmul__ = None

    def make(self, value, parents):
        return Noted(value, self.arrows, self.counter, parents)
