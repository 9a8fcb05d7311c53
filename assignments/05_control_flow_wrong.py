# Known wrong answers of chapter 5. Each takes the place of the right one.
# %% the first slope, n times
# fails: the first slope to the power of n, the slope where the step ends, no steps at all, a difference around the loop
def loop_slope(r, x, n):
    return (r * (1 - 2 * x)) ** n


# %% steps first, and takes the slope then
# fails: the first slope to the power of n, the slope where the step ends, no steps at all, a difference around the loop
def loop_slope(r, x, n):
    slope = 1.0
    for _ in range(n):
        x = r * x * (1 - x)
        slope *= r * (1 - 2 * x)
    return slope


# %% begins with the first step
# fails: no steps at all
def loop_slope(r, x, n):
    slope = r * (1 - 2 * x)
    for _ in range(n - 1):
        x = r * x * (1 - x)
        slope *= r * (1 - 2 * x)
    return slope


# %% adds the slopes
# fails: the first slope to the power of n, the slope where the step ends, no steps at all, a difference around the loop
def loop_slope(r, x, n):
    slope = 0.0
    for _ in range(n):
        slope += r * (1 - 2 * x)
        x = r * x * (1 - x)
    return slope


# %% the formula as it is
# fails: a value at 0 that is not a number, a slope at 0 from the other branch
def xlogx(x):
    return x * np.log(x), np.log(x) + 1


# %% chooses the value, forgets the slope
# fails: a slope at 0 from the other branch
def xlogx(x):
    return np.where(x > 0, x * np.log(np.where(x > 0, x, 1.0)), 0.0), np.log(x) + 1


# %% chooses by a product with 0 or 1
# fails: a value at 0 that is not a number, a slope at 0 from the other branch
def xlogx(x):
    return (x > 0) * (x * np.log(x)), (x > 0) * (np.log(x) + 1)


# %% something small in the logarithm
# fails: a slope at 0 from the other branch, an epsilon in the logarithm
def xlogx(x):
    log = np.log(x + 1e-20)
    return x * log, log + x / (x + 1e-20)


# %% something small as a bound
# fails: an epsilon in the logarithm
def xlogx(x):
    inside = np.where(x > 1e-12, x, 1.0)
    return np.where(x > 1e-12, inside * np.log(inside), 0.0), np.where(x > 1e-12, np.log(inside) + 1, 0.0)


# %% runs the program
# fails: the program itself each time, the first guard alone, one recording only
def recorded(program):
    return program


# %% no guards
# fails: the branch of the first input, one recording only, the first guard alone
def recorded(program):
    recordings = []

    def run(x):
        if not recordings:
            recordings.append(record(program, x))
        lines, guards, result = recordings[0]
        return result[1] if result[0] == "number" else replay(lines, [], result, x)

    return run


# %% forgets the recording that did not fit
# fails: one recording only, the first guard alone
def recorded(program):
    recordings = []

    def run(x):
        y = replay(*recordings[-1], x) if recordings else None
        if y is None:
            recordings.append(record(program, x))
            y = replay(*recordings[-1], x)
        return y

    return run


# %% looks at the first guard
# fails: the first guard alone
right = record


def record(program, x):
    lines, guards, result = right(program, x)
    return lines, guards[:1], result


# %% one step
# fails: the slope of a single step, numbers only, the transposed equation
def fixed_point_slope(G_y, G_x):
    return G_x


# %% divides entry by entry
# fails: numbers only, the transposed equation
def fixed_point_slope(G_y, G_x):
    return G_x / (1 - np.diag(G_y))


# %% the transpose
# fails: numbers only, the transposed equation
def fixed_point_slope(G_y, G_x):
    return np.linalg.solve((np.eye(len(G_x)) - G_y).T, G_x)


# %% the sign the other way round
# fails: the slope of a single step, numbers only, the transposed equation
def fixed_point_slope(G_y, G_x):
    return np.linalg.solve(G_y - np.eye(len(G_x)), G_x)


# %% cannot cope with a matrix
# fails: numbers only, the transposed equation
def fixed_point_slope(G_y, G_x):
    return np.array([G_x.item() / (1 - G_y.item())])


# %% a difference around
# fails: a difference around the loop
def loop_slope(r, x, n, h=1e-6):
    def last(x):
        for _ in range(n):
            x = r * x * (1 - x)
        return x

    return (last(x + h) - last(x - h)) / (2 * h)


# %% the formula of n = 1
# fails: the first slope to the power of n, the slope where the step ends, no steps at all, a difference around the loop
def loop_slope(r, x, n):
    return r * (1 - 2 * x)


# %% whatever is not a number becomes one
# fails: a slope at 0 from the other branch
def xlogx(x):
    with np.errstate(all="ignore"):
        return np.nan_to_num(x * np.log(x)), np.nan_to_num(np.log(x) + 1)


# %% a difference in the place of the slope
# fails: a difference for a slope, an epsilon in the logarithm
def xlogx(x, h=1e-6):
    def value(x):
        inside = np.where(x > 0, x, 1.0)
        return np.where(x > 0, inside * np.log(inside), 0.0)

    return value(x), np.where(x > 0, (value(x + h) - value(x - h)) / (2 * h), 0.0)


# %% remembers values instead of operations
# fails: the program itself each time, one recording only, the first guard alone
def recorded(program):
    known = {}

    def run(x):
        if x not in known:
            known[x] = value_of(program(x))
        return known[x]

    return run


# %% one shelf for all programs
# fails: the branch of the first input, one recording only, the first guard alone, the recording of another program
shelf = []


def recorded(program):
    def run(x):
        for recording in shelf:
            y = replay(*recording, x)
            if y is not None:
                return y
        shelf.append(record(program, x))
        return replay(*shelf[-1], x)

    return run


# %% steps until it looks still
# fails: the slope of a single step, numbers only, the transposed equation
def fixed_point_slope(G_y, G_x):
    slope = np.zeros_like(G_x)
    for _ in range(10):
        slope = G_y @ slope + G_x
    return slope
