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
# fails: only the first entry
def gradcheck(f, df, x):
    return bool(np.isclose(df(x)[0], gradient_by_differences(f, x)[0], 1e-4, 0))


# %% looks along one direction, that of ones
# fails: only the sum of all entries
def gradcheck(f, df, x):
    return bool(np.isclose(df(x).sum(), gradient_by_differences(f, x).sum(), 1e-4, 0))


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
# fails: only the first entry, only the sum of all entries, a tolerance that is too wide, an absolute tolerance, a right gradient refused for its size
def gradcheck(f, df, x):
    return True


# %% content with nothing
# fails: only the first entry, only the sum of all entries, a tolerance that is too wide, an absolute tolerance, a right gradient refused for its size
def gradcheck(f, df, x):
    return False
