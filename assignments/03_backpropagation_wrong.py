# Known wrong answers of chapter 3. Each takes the place of the right one.
# %% the factor itself
# fails: the factor itself instead of the other, a new axis that is not summed, a stretched axis that is not summed, axes of one kind only
def pull_product(t, a, b):
    return sum_to(t * a, np.shape(a)), sum_to(t * b, np.shape(b))


# %% no sum at all
# fails: a new axis that is not summed, a stretched axis that is not summed, axes of one kind only
def pull_product(t, a, b):
    return t * b, t * a


# %% sums the new axes only
# fails: a stretched axis that is not summed, axes of one kind only
def pull_product(t, a, b):
    def leading(t, shape):
        return t.sum(axis=tuple(range(t.ndim - len(shape))))

    return leading(t * b, np.shape(a)), leading(t * a, np.shape(b))


# %% sums the stretched axes only
# fails: a new axis that is not summed, axes of one kind only
def pull_product(t, a, b):
    def stretched(t, shape):
        return t.sum(axis=tuple(k for k, n in enumerate(shape) if n == 1), keepdims=True)

    return stretched(t * b, np.shape(a)), stretched(t * a, np.shape(b))


# %% the mean instead of the sum
# fails: a new axis that is not summed, a stretched axis that is not summed, axes of one kind only
def pull_product(t, a, b):
    def share(t, shape):
        return sum_to(t, shape) * (np.prod(shape) / t.size)

    return share(t * b, np.shape(a)), share(t * a, np.shape(b))


# %% rows laid down as columns
# fails: the transpose, more pullbacks than rows, only square tables
def jacobian(vjp, m):
    return np.array([vjp(v) for v in np.eye(m)]).T


# %% asks once more for the number of inputs
# fails: more pullbacks than rows
def jacobian(vjp, m):
    J = np.zeros((m, len(vjp(np.zeros(m)))))
    for i, v in enumerate(np.eye(m)):
        J[i] = vjp(v)
    return J


# %% a table of m times m
# fails: more pullbacks than rows, only square tables
def jacobian(vjp, m):
    J = np.zeros((m, m))
    for i, v in enumerate(np.eye(m)):
        J[i] = vjp(v)
    return J


# %% a seed that is not cleared
# fails: the transpose, more pullbacks than rows, only square tables
def jacobian(vjp, m):
    v, J = np.zeros(m), []
    for i in range(m):
        v[i] = 1.0
        J.append(vjp(v))
    return np.array(J)


# %% one sweep with ones
# fails: the transpose, more pullbacks than rows, only square tables
def jacobian(vjp, m):
    return np.array([vjp(np.ones(m))])


# %% looks at the first entry
# fails: only the first entry, only the length of the gradient, a gradient that is not a number
def gradcheck(f, df, x):
    return bool(np.isclose(df(x)[0], gradient_by_differences(f, x)[0], 1e-4, 0))


# %% looks along one direction, that of ones
# fails: only the sum of all entries
def gradcheck(f, df, x):
    return bool(np.isclose(df(x).sum(), gradient_by_differences(f, x).sum(), 1e-4, 0))


# %% looks at the length
# fails: only the length of the gradient
def gradcheck(f, df, x):
    lengths = np.linalg.norm([df(x), gradient_by_differences(f, x)], axis=1)
    return bool(np.isclose(*lengths, 1e-4, 0))


# %% one tenth is near enough
# fails: a tolerance that is too wide
def gradcheck(f, df, x):
    return bool(np.allclose(df(x), gradient_by_differences(f, x), 0.1, 0))


# %% an absolute tolerance
# fails: an absolute tolerance, a right gradient refused for its size
def gradcheck(f, df, x):
    return bool(np.all(np.abs(df(x) - gradient_by_differences(f, x)) < 1e-6))


# %% NumPy's own tolerance for small numbers
# fails: an absolute tolerance
def gradcheck(f, df, x):
    return bool(np.allclose(df(x), gradient_by_differences(f, x), 1e-4, 1e-6))


# %% content with anything
# fails: only the first entry, only the sum of all entries, a tolerance that is too wide, an absolute tolerance, a right gradient refused for its size, only the length of the gradient, a gradient that is not a number
def gradcheck(f, df, x):
    return True


# %% content with nothing
# fails: only the first entry, only the sum of all entries, a tolerance that is too wide, an absolute tolerance, a right gradient refused for its size, only the length of the gradient, a gradient that is not a number
def gradcheck(f, df, x):
    return False


# %% lets nan pass
# fails: a gradient that is not a number
def gradcheck(f, df, x):
    wanted = gradient_by_differences(f, x)
    return not np.any(np.abs(df(x) - wanted) > 1e-4 * np.abs(wanted).max())


# %% assigns instead of adding
# fails: no plain number on the left, the last part alone, a node before its uses, one turn for each path, what the nodes in between still hold
def backward(output):
    pending = {output: 1.0}
    while pending:
        node = max(pending, key=lambda node: node.number)
        t = pending.pop(node)
        if not node.inputs:
            node.grad += t
        for parent, local in node.inputs:
            pending[parent] = t * local


# %% first come, first served
# fails: a node before its uses
def backward(output):
    bars, queue = {output: 1.0}, [output]
    for node in queue:
        for parent, local in node.inputs:
            if parent not in bars:
                queue.append(parent)
            bars[parent] = bars.get(parent, 0.0) + bars[node] * local
    for node in queue:
        if not node.inputs:
            node.grad += bars[node]


# %% walks back along every path
# fails: one call in another, one turn for each path, every derivative carried forward
def backward(output, t=1.0):
    if not output.inputs:
        output.grad += t
    for parent, local in output.inputs:
        backward(parent, t * local)


# %% whatever waits has its turn
# fails: one turn for each path
def backward(output):
    waiting = [(output, 1.0)]
    while waiting:
        node, t = waiting.pop()
        if not node.inputs:
            node.grad += t
        waiting += [(parent, t * local) for parent, local in node.inputs]


# %% sorts by recursion
# fails: one call in another, every derivative carried forward
def sorted_by_recursion(output):
    order, seen = [], set()

    def visit(node):
        if node not in seen:
            seen.add(node)
            for parent, _ in node.inputs:
                visit(parent)
            order.append(node)

    visit(output)
    return order


def backward(output):
    bars = {output: 1.0}
    for node in reversed(sorted_by_recursion(output)):
        if not node.inputs:
            node.grad += bars[node]
        for parent, local in node.inputs:
            bars[parent] = bars.get(parent, 0.0) + bars[node] * local


# %% keeps every cotangent on its node
# fails: what the nodes in between still hold
def backward(output):
    output.grad, nodes, queue = 1.0, {output}, [output]
    for node in queue:
        new = {parent for parent, _ in node.inputs} - nodes
        nodes |= new
        queue += new
    for node in sorted(nodes, key=lambda node: -node.number):
        for parent, local in node.inputs:
            parent.grad += node.grad * local


# %% sets every grad back at the start
# fails: what the nodes in between still hold, a leaf that forgets
def backward(output):
    output.grad, nodes, queue = 1.0, {output}, [output]
    for node in queue:
        for parent, _ in node.inputs:
            if parent not in nodes:
                nodes.add(parent)
                queue.append(parent)
                parent.grad = 0.0
    for node in sorted(nodes, key=lambda node: -node.number):
        for parent, local in node.inputs:
            parent.grad += node.grad * local


# %% forward mode in the place of a sweep
# fails: every derivative carried forward
class Node:
    def __init__(self, value, slopes=None):
        self.value, self.grad = value, 0.0
        self.slopes = {self: 1.0} if slopes is None else slopes

    def weighted(self, other, value, a, b):
        other = other if isinstance(other, Node) else Node(other, {})
        slopes = {leaf: a * slope for leaf, slope in self.slopes.items()}
        for leaf, slope in other.slopes.items():
            slopes[leaf] = slopes.get(leaf, 0.0) + b * slope
        return Node(value, slopes)

    def __add__(self, other):
        return self.weighted(other, self.value + getattr(other, "value", other), 1.0, 1.0)

    def __mul__(self, other):
        factor = getattr(other, "value", other)
        return self.weighted(other, self.value * factor, factor, self.value)

    __radd__, __rmul__ = __add__, __mul__


def backward(output):
    for leaf, slope in output.slopes.items():
        leaf.grad += slope


# %% the other factor on one side alone
# fails: the last part alone, a node before its uses
def multiply(self, other):
    other = other if isinstance(other, Node) else Node(other)
    inputs = [(self, other.value)] if self is other else [(self, other.value), (other, self.value)]
    return Node(self.value * other.value, inputs)


Node.__mul__ = Node.__rmul__ = multiply


# %% numbers on the right alone
# fails: no plain number on the left
del Node.__radd__, Node.__rmul__


# %% grad is set, not added to
# fails: what the nodes in between still hold, a leaf that forgets
right = backward


def backward(output):
    queue, seen = [output], {output}
    for node in queue:
        node.grad = 0.0
        new = {parent for parent, _ in node.inputs} - seen
        seen |= new
        queue += new
    right(output)
