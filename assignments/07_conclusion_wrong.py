# Known wrong answers of chapter 7. Each takes the place of the right one.
# %% exponentials as they are
# fails: an exponential that overflows, the logarithm of 0
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
# fails: a slope without the label, a sum instead of a mean, biases that are not summed, no slope of tanh, square weights only, the last layer without tanh, a walk uphill, the gradient of the start for all steps, parameters updated one by one
right = cross_entropy


def cross_entropy(z, labels):
    loss, slope = right(z, labels)
    slope[np.arange(len(z)), labels] += 1 / len(z)
    return loss, slope


# %% a sum over the batch
# fails: a sum instead of a mean, an exponential that overflows, the logarithm of 0, biases that are not summed, no slope of tanh, square weights only, the last layer without tanh, a walk uphill, the gradient of the start for all steps, parameters updated one by one
right = cross_entropy


def cross_entropy(z, labels):
    loss, slope = right(z, labels)
    return loss * len(z), slope * len(z)


# %% what entered tanh
# fails: the last layer without tanh, square weights only, a walk uphill, the gradient of the start for all steps, parameters updated one by one
right = gradients


def gradients(theta, x, labels):
    W1, b1, W2, b2 = theta
    _, slope = cross_entropy(np.tanh(x @ W1 + b1) @ W2 + b2, labels)
    W1_bar, b1_bar, _, b2_bar = right(theta, x, labels)
    return [W1_bar, b1_bar, (x @ W1 + b1).T @ slope, b2_bar]


# %% the mean of the biases' parts
# fails: biases that are not summed, no slope of tanh, square weights only, a walk uphill, the gradient of the start for all steps, parameters updated one by one
right = gradients


def gradients(theta, x, labels):
    W1_bar, b1_bar, W2_bar, b2_bar = right(theta, x, labels)
    return [W1_bar, b1_bar / len(x), W2_bar, b2_bar / len(x)]


# %% tanh without a slope
# fails: no slope of tanh, biases that are not summed, square weights only, a walk uphill, the gradient of the start for all steps, parameters updated one by one
def gradients(theta, x, labels):
    W1, b1, W2, b2 = theta
    h = np.tanh(x @ W1 + b1)
    _, z_bar = cross_entropy(h @ W2 + b2, labels)
    h_bar = z_bar @ W2.T
    return [x.T @ h_bar, h_bar.sum(axis=0), h.T @ z_bar, z_bar.sum(axis=0)]


# %% weights that are not transposed
# fails: no slope of tanh, biases that are not summed, square weights only, a walk uphill, the gradient of the start for all steps, parameters updated one by one
def gradients(theta, x, labels):
    W1, b1, W2, b2 = theta
    h = np.tanh(x @ W1 + b1)
    _, z_bar = cross_entropy(h @ W2 + b2, labels)
    h_bar = z_bar @ W2 * (1 - h**2)
    return [x.T @ h_bar, h_bar.sum(axis=0), h.T @ z_bar, z_bar.sum(axis=0)]


# %% uphill
# fails: a walk uphill, the gradient of the start for all steps, parameters updated one by one
def train(theta, x, labels, steps, eta):
    for _ in range(steps):
        theta = [p + eta * g for p, g in zip(theta, gradients(theta, x, labels))]
    return theta


# %% one gradient for all steps
# fails: the gradient of the start for all steps, parameters updated one by one
def train(theta, x, labels, steps, eta):
    found = gradients(theta, x, labels)
    return [p - steps * eta * g for p, g in zip(theta, found)]


# %% one parameter after the other
# fails: a walk uphill, the gradient of the start for all steps, parameters updated one by one
def train(theta, x, labels, steps, eta):
    theta = list(theta)
    for _ in range(steps):
        for k in range(4):
            theta[k] = theta[k] - eta * gradients(theta, x, labels)[k]
    return theta


# %% in place
# fails: parameters changed in place
def train(theta, x, labels, steps, eta):
    for _ in range(steps):
        for p, g in zip(theta, gradients(theta, x, labels)):
            p -= eta * g
    return theta
