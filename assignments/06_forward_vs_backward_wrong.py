# Known wrong answers of chapter 6. Each takes the place of the right one.
# %% rows in forward mode
# fails: the two modes exchanged, each layer at the same price, two layers at least
def prices(sizes):
    weights = sum(m * n for m, n in zip(sizes, sizes[1:]))
    return [sizes[-1] * weights, sizes[0] * weights]


# %% the dearer mode first
# fails: the two modes exchanged, two layers at least
def prices(sizes):
    weights = sum(m * n for m, n in zip(sizes, sizes[1:]))
    return max(sizes[0], sizes[-1]) * weights, min(sizes[0], sizes[-1]) * weights


# %% counts the layers
# fails: the two modes exchanged, each layer at the same price, two layers at least
def prices(sizes):
    return [sizes[0] * (len(sizes) - 1), sizes[-1] * (len(sizes) - 1)]


# %% the inner layers alone
# fails: the two modes exchanged, each layer at the same price, two layers at least
def prices(sizes):
    weights = sum(m * n for m, n in zip(sizes[1:], sizes[2:]))
    return [sizes[0] * weights, sizes[-1] * weights]


# %% begins with the first product of two matrices
# fails: two layers at least
def prices(sizes):
    weights = sizes[0] * sizes[1] + sum(m * n for m, n in zip(sizes[1:], sizes[2:]))
    return [sizes[0] * weights, sizes[-1] * weights]


# %% column by column
# fails: a gradient for each column
def hvp(grad, x, v):
    h = 1e-5
    columns = [(grad(x + h * e) - grad(x - h * e)) / (2 * h) for e in np.eye(len(x))]
    return np.array(columns).T @ v


# %% a fixed step
# fails: a step that ignores the length of v
def hvp(grad, x, v):
    h = 1e-5
    return (grad(x + h * v) - grad(x - h * v)) / (2 * h)


# %% a large step
# fails: fewer than nine digits
def hvp(grad, x, v):
    length = np.linalg.norm(v) or 1.0
    h = 0.1 / length
    return (grad(x + h * v) - grad(x - h * v)) / (2 * h)


# %% divides by the length
# fails: a division by the length of 0
def hvp(grad, x, v):
    h = 1e-5 / np.linalg.norm(v)
    return (grad(x + h * v) - grad(x - h * v)) / (2 * h)


# %% the gradient times the vector
# fails: a gradient for each column, fewer than nine digits, a step that ignores the length of v, a division by the length of 0
def hvp(grad, x, v):
    return grad(x) * v


# %% stores every state
# fails: more than twice the root of n states
def pull_through(step, pull, free, x, n, bar):
    states = [x]
    for _ in range(n - 1):
        states.append(step(states[-1]))
    for state in reversed(states):
        bar = pull(state, bar)
    return bar


# %% stretches of five
# fails: more than twice the root of n states
def pull_through(step, pull, free, x, n, bar, stretch=5):
    checkpoints, state = [x], x
    for k in range(1, (n - 1) // stretch * stretch + 1):
        old, state = state, step(state)
        if old != checkpoints[-1]:
            free(old)
        if k % stretch == 0:
            checkpoints.append(state)
    for first in range((n - 1) // stretch * stretch, -1, -stretch):
        states = [checkpoints.pop()]
        while len(states) < min(stretch, n - first):
            states.append(step(states[-1]))
        while states:
            bar = pull(states[-1], bar)
            free(states.pop())
    return bar


# %% begins from the start for each step
# fails: more than twice the root of n states, every state computed from the start
def pull_through(step, pull, free, x, n, bar):
    for k in reversed(range(n)):
        state = x
        for _ in range(k):
            old, state = state, step(state)
            if old != x:
                free(old)
        bar = pull(state, bar)
        if state != x:
            free(state)
    return bar


# %% never frees
# fails: more than twice the root of n states
def pull_through(step, pull, free, x, n, bar):
    return right(step, pull, lambda state: None, x, n, bar)


right = pull_through_with_checkpoints


# %% whole stretches alone
# fails: only whole stretches
def pull_through(step, pull, free, x, n, bar):
    return pull_through_with_checkpoints(step, pull, free, x, int(n**0.5) ** 2, bar)


# %% the state that leaves a step
# fails: a wrong cotangent, more than twice the root of n states, every state computed from the start, only whole stretches
def pull_through(step, pull, free, x, n, bar):
    return pull_through_with_checkpoints(step, lambda state, bar: pull(x, bar), free, x, n, bar)


# %% the sum of the layers
# fails: the two modes exchanged, each layer at the same price
def prices(sizes):
    weights = sum(sizes[:-1]) * sizes[-1]
    return sizes[0] * weights, sizes[-1] * weights


# %% products of matrices
# fails: the two modes exchanged, each layer at the same price, two layers at least
def prices(sizes):
    forward = sum(sizes[0] * m * n for m, n in zip(sizes, sizes[1:]))
    reverse = sum(sizes[-1] * m * n for m, n in zip(sizes[1:], sizes[2:]))
    return forward, reverse


# %% a quotient of gradients, with the best step there is
# fails: fewer than nine digits
def hvp(grad, x, v):
    length = np.linalg.norm(v)
    return np.zeros_like(x) if length == 0 else (grad(x + 2e-8 / length * v) - grad(x)) * length / 2e-8


# %% halves, and halves again
# fails: every state computed from the start
def pull_through(step, pull, free, x, n, bar):
    if n == 1:
        return pull(x, bar)
    state = x
    for k in range(n // 2):
        old, state = state, step(state)
        if k:
            free(old)
    bar = pull_through(step, pull, free, state, n - n // 2, bar)
    free(state)
    return pull_through(step, pull, free, x, n // 2, bar)


# %% forward, by the slopes alone
# fails: a wrong cotangent, more than twice the root of n states, every state computed from the start, only whole stretches
def pull_through(step, pull, free, x, n, bar):
    state = x
    for k in range(n):
        bar = pull(state, bar)
        if k < n - 1:
            old, state = state, step(state)
            free(old)
    return bar
