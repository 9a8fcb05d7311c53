# Known wrong answers of chapter 7. Each takes the place of the right one.
# %% exponentials as they are
# fails: an exponential that overflows, the logarithm of 0, a slope that overflows
def cross_entropy(z, labels):
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    rows = np.arange(len(z))
    slope = p.copy()
    slope[rows, labels] -= 1
    return -np.log(p[rows, labels]).mean(), slope / len(z)


# %% the logarithm of a probability
# fails: the logarithm of 0
def cross_entropy(z, labels):
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    rows = np.arange(len(z))
    loss = -np.log(p[rows, labels]).mean()
    p[rows, labels] -= 1
    return loss, p / len(z)


# %% the largest score of the whole batch
# fails: the logarithm of 0
def cross_entropy(z, labels):
    e = np.exp(z - z.max())
    rows = np.arange(len(z))
    loss = -np.log(e[rows, labels] / e.sum(axis=1)).mean()
    p = e / e.sum(axis=1, keepdims=True)
    p[rows, labels] -= 1
    return loss, p / len(z)


# %% probabilities for a slope
# fails: a slope that overflows, a slope without the label, a sum instead of a mean
right = cross_entropy


def cross_entropy(z, labels):
    loss, slope = right(z, labels)
    slope[np.arange(len(z)), labels] += 1 / len(z)
    return loss, slope


# %% a sum over the batch
# fails: a sum instead of a mean
right = cross_entropy


def cross_entropy(z, labels):
    loss, slope = right(z, labels)
    return loss * len(z), slope * len(z)


# %% a loss that is safe, a slope that is not
# fails: a slope that overflows
right = cross_entropy


def cross_entropy(z, labels):
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    p[np.arange(len(z)), labels] -= 1
    return right(z, labels)[0], p / len(z)


# %% probabilities that are clipped
# fails: the logarithm of 0
right = cross_entropy


def cross_entropy(z, labels):
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return -np.log(np.clip(p[np.arange(len(z)), labels], 1e-12, 1)).mean(), right(z, labels)[1]


# %% no sum where values were copied
# fails: biases that are not summed, the gradient of one network for all
sum_to = lambda t, shape: t


# %% sums over rows alone
# fails: biases that are not summed
def sum_to(t, shape):
    return t.sum(axis=tuple(range(t.ndim - len(shape))))


# %% the mean of the copies' parts
# fails: biases that are not summed, the gradient of one network for all
right = sum_to


def sum_to(t, shape):
    return right(t, shape) * (np.prod(shape) / t.size)


# %% factors in the wrong order
# fails: a matrix that is not transposed, the gradient of one network for all
Tensor.__matmul__ = lambda self, other: Tensor(
    self.value @ other.value, [(self, lambda t: other.value @ t.T), (other, lambda t: t.T @ self.value)]
)


# %% no transposition
# fails: a matrix that is not transposed, the gradient of one network for all
Tensor.__matmul__ = lambda self, other: Tensor(
    self.value @ other.value, [(self, lambda t: t @ other.value), (other, lambda t: self.value @ t)]
)


# %% tanh without a slope
# fails: no slope of tanh, the gradient of one network for all
Tensor.tanh = lambda self: Tensor(np.tanh(self.value), [(self, lambda t: t)])


# %% the slope of what enters tanh
# fails: no slope of tanh, the gradient of one network for all
Tensor.tanh = lambda self: Tensor(np.tanh(self.value), [(self, lambda t: t * (1 - self.value**2))])


# %% a difference pulled like a sum
# fails: a sign that is lost
Tensor.__sub__ = lambda self, other: Tensor(self.value - other.value, [(self, lambda t: t), (other, lambda t: t)])


# %% assigns instead of adding
# fails: the last part alone, a tensor before its uses, the gradient of the start for all steps, the gradient of one network for all
def backward(output):
    pending = {output: np.ones(())}
    while pending:
        tensor = max(pending, key=lambda tensor: tensor.number)
        t = pending.pop(tensor)
        if not tensor.inputs:
            tensor.grad = tensor.grad + t
        for parent, pull in tensor.inputs:
            pending[parent] = sum_to(pull(t), parent.value.shape)


# %% first come, first served
# fails: a tensor before its uses
def backward(output):
    bars, queue = {output: np.ones(())}, [output]
    for tensor in queue:
        for parent, pull in tensor.inputs:
            if parent not in bars:
                queue.append(parent)
            bars[parent] = bars.get(parent, 0.0) + sum_to(pull(bars[tensor]), parent.value.shape)
    for tensor in queue:
        if not tensor.inputs:
            tensor.grad = tensor.grad + bars[tensor]


# %% uphill
# fails: a walk uphill, the gradient of the start for all steps, gradients that pile up, parameters updated one by one, a run for each parameter, the gradient of one network for all
right = train


def train(loss, theta, steps, eta):
    return right(loss, theta, steps, -eta)


# %% one gradient for all steps
# fails: the gradient of the start for all steps, the gradient of one network for all
right = train


def train(loss, theta, steps, eta):
    return right(loss, theta, 1, steps * eta)


# %% leaves that are never set back
# fails: the gradient of the start for all steps, gradients that pile up, the gradient of one network for all
def train(loss, theta, steps, eta):
    leaves = [Tensor(p) for p in theta]
    for _ in range(steps):
        backward(loss(*leaves))
        for leaf in leaves:
            leaf.value = leaf.value - eta * leaf.grad
    return [leaf.value for leaf in leaves]


# %% one parameter after the other
# fails: parameters updated one by one, the gradient of one network for all
def train(loss, theta, steps, eta):
    theta = list(theta)
    for _ in range(steps):
        for k in range(len(theta)):
            leaves = [Tensor(p) for p in theta]
            backward(loss(*leaves))
            theta[k] = theta[k] - eta * leaves[k].grad
    return theta


# %% numbers of another shape
# fails: a walk uphill, the gradient of the start for all steps, gradients that pile up, parameters updated one by one, parameters changed in place, a run for each parameter, the gradient of one network for all
def train(loss, theta, steps, eta):
    return [[0.0] for _ in theta]


# %% in place
# fails: parameters changed in place
def train(loss, theta, steps, eta):
    for _ in range(steps):
        leaves = [Tensor(p) for p in theta]
        backward(loss(*leaves))
        for p, leaf in zip(theta, leaves):
            p -= eta * leaf.grad
    return theta


# %% differences
# fails: a run for each parameter, the gradient of one network for all
def train(loss, theta, steps, eta, h=1e-6):
    def slope(k, i):
        def at(h):
            moved = [p.copy() for p in theta]
            moved[k].flat[i] += h
            return loss(*map(Tensor, moved)).value

        return (at(h) - at(-h)) / (2 * h)

    for _ in range(steps):
        slopes = [np.reshape([slope(k, i) for i in range(p.size)], p.shape) for k, p in enumerate(theta)]
        theta = [p - eta * g for p, g in zip(theta, slopes)]
    return theta


# %% always four arrays
# fails: a walk uphill, the gradient of the start for all steps, gradients that pile up, parameters updated one by one, parameters changed in place, a run for each parameter, the gradient of one network for all
def train(loss, theta, steps, eta):
    W1, b1, W2, b2 = theta
    for _ in range(steps):
        leaves = [Tensor(p) for p in (W1, b1, W2, b2)]
        backward(loss(*leaves))
        W1, b1, W2, b2 = (leaf.value - eta * leaf.grad for leaf in leaves)
    return [W1, b1, W2, b2]


# %% a sum that passes on one number
# fails: a sum that is not spread
Tensor.sum = lambda self: Tensor(self.value.sum(), [(self, lambda t: t)])
right = sum_to


def sum_to(t, shape):
    return right(t, shape) if t.ndim else t
