# Known wrong answers of chapter 2. Each takes the place of the right one.
# %% the order of application
# fails: the first jacobian first, only square jacobians, no empty chain
def pull_back(jacobians, v):
    for J in jacobians:
        v = v @ J
    return v


# %% a tangent instead of a cotangent
# fails: the first jacobian first, a column instead of a row, only square jacobians, no empty chain
def pull_back(jacobians, v):
    for J in reversed(jacobians):
        v = J @ v
    return v


# %% the product of all, which must not be empty
# fails: no empty chain
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


# %% assigns instead of adding
# fails: the last part alone, a node before its uses, one visit for each path, what an earlier sweep left behind
def gradient(program, value):
    x = Node(value)
    y = program(x)
    grads, heap = {y: 1.0}, [y]
    while heap:
        node = heap.pop(max(range(len(heap)), key=lambda k: heap[k].number))
        for parent, local in node.parents:
            if parent not in grads:
                heap.append(parent)
            grads[parent] = grads[node] * local
    return grads.get(x, 0.0)


# %% first come, first served
# fails: a node before its uses
def gradient(program, value):
    x = Node(value)
    y = program(x)
    grads, queue = {y: 1.0}, [y]
    for node in queue:
        for parent, local in node.parents:
            if parent not in grads:
                queue.append(parent)
            grads[parent] = grads.get(parent, 0.0) + grads[node] * local
    return grads.get(x, 0.0)


# %% walks back along every path
# fails: one call in another, one visit for each path
def gradient(program, value):
    x = Node(value)

    def walk(node, carried):
        found = carried if node is x else 0.0
        return found + sum(walk(parent, carried * local) for parent, local in node.parents)

    return walk(program(x), 1.0)


# %% sorts by recursion
# fails: one call in another
def gradient(program, value):
    x = Node(value)
    order, seen = [], set()

    def visit(node):
        if node not in seen:
            seen.add(node)
            for parent, _ in node.parents:
                visit(parent)
            order.append(node)

    y = program(x)
    visit(y)
    grads = {y: 1.0}
    for node in reversed(order):
        for parent, local in node.parents:
            grads[parent] = grads.get(parent, 0.0) + grads[node] * local
    return grads.get(x, 0.0)


# %% keeps its sums for the next time
# fails: a node before its uses, one call in another, one visit for each path, what an earlier sweep left behind
right, kept = gradient, []


def gradient(program, value):
    kept.append(right(program, value))
    return sum(kept)
