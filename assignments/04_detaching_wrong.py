# Known wrong answers of chapter 4. Each takes the place of the right one.
# %% the node itself
# fails: a copy that still has parents, a value that is lost, the original cut off, a past that is still held
def detach(node):
    return node


# %% a copy with the same parents
# fails: a copy that still has parents, a value that is lost, the original cut off, a past that is still held
def detach(node):
    return Node(node.value, node.parents)


# %% zero
# fails: a copy that still has parents, a value that is lost, the original cut off, a number in the place of a node, a past that is still held
def detach(node):
    return Node(0.0)


# %% takes the parents away from the node itself
# fails: the original cut off
def detach(node):
    node.parents = ()
    return node


# %% the value alone
# fails: a number in the place of a node, a past that is still held
def detach(node):
    return node.value


# %% a slope of zero
# fails: a past that is still held
def detach(node):
    return Node(node.value, ((node, 0.0),))


# %% slopes of zero to the parents
# fails: a past that is still held
def detach(node):
    return Node(node.value, [(parent, 0.0) for parent, _ in node.parents])


# %% no rounding
# fails: a value that is not rounded, the true slope of rounding, cutting off digits instead of rounding
def rounded(x):
    return 1.0 * x


# %% the slope of a staircase
# fails: the true slope of rounding, cutting off digits instead of rounding
def rounded(x):
    return Node(np.round(x.value))


# %% cuts the digits off
# fails: cutting off digits instead of rounding
def rounded(x):
    return x + detach(Node(np.trunc(x.value) - x.value))


# %% scales instead of shifting
# fails: the true slope of rounding, cutting off digits instead of rounding
def rounded(x):
    return x * detach(Node(np.round(x.value) / x.value))


# %% no truncation
# fails: all steps, one step too many or too few, a cut after every k inputs, a state that begins again
def truncated_slope(w, xs, k):
    h, slope = 0.0, 0.0
    for x in xs:
        h, slope = np.tanh(w * h + x), (1 - np.tanh(w * h + x) ** 2) * (h + w * slope)
    return slope


# %% one step too few
# fails: all steps, one step too many or too few, a cut after every k inputs, a state that begins again
def truncated_slope(w, xs, k):
    h, slope = 0.0, 0.0
    for t, x in enumerate(xs):
        if t <= len(xs) - k:
            slope = 0.0
            h = np.tanh(w * h + x)
        else:
            h, slope = np.tanh(w * h + x), (1 - np.tanh(w * h + x) ** 2) * (h + w * slope)
    return slope


# %% begins again from zero
# fails: all steps, one step too many or too few, a cut after every k inputs, a state that begins again
def truncated_slope(w, xs, k):
    h, slope = 0.0, 0.0
    for x in xs[-k:]:
        h, slope = np.tanh(w * h + x), (1 - np.tanh(w * h + x) ** 2) * (h + w * slope)
    return slope


# %% the first k steps instead of the last
# fails: all steps, one step too many or too few, a cut after every k inputs, a state that begins again
def truncated_slope(w, xs, k):
    h, slope = 0.0, 0.0
    for t, x in enumerate(xs):
        new = np.tanh(w * h + x)
        slope = (1 - new**2) * (h + w * slope) if t < k else (1 - new**2) * h
        h = new
    return slope


# %% asks for as many steps as k
# fails: too few inputs for k
right = truncated_slope


def truncated_slope(w, xs, k):
    return right(w, xs, k) if k < len(xs) else 0.0 * xs[k]


# %% no cut at all
# fails: a generator that pleases the critic, a critic that pleases the generator
def joint_loss(generate, critic_loss, generator_loss, theta, w, cut):
    sample = generate(theta)
    return critic_loss(w, sample) + generator_loss(w, sample)


# %% only the critic's cut
# fails: a critic that pleases the generator
def joint_loss(generate, critic_loss, generator_loss, theta, w, cut):
    sample = generate(theta)
    return critic_loss(w, cut(sample)) + generator_loss(w, sample)


# %% the sample cut for both
# fails: a generator that pleases the critic, a player that hears nothing
def joint_loss(generate, critic_loss, generator_loss, theta, w, cut):
    sample = cut(generate(theta))
    return critic_loss(w, sample) + generator_loss(cut(w), sample)


# %% each player cut from its own loss
# fails: a generator that pleases the critic, a critic that pleases the generator
def joint_loss(generate, critic_loss, generator_loss, theta, w, cut):
    sample = generate(theta)
    return critic_loss(cut(w), sample) + generator_loss(w, cut(sample))


# %% the generator's loss alone
# fails: a critic that pleases the generator, a player that hears nothing, one loss alone
def joint_loss(generate, critic_loss, generator_loss, theta, w, cut):
    return generator_loss(cut(w), generate(theta))


# %% cuts after every k inputs
# fails: a cut after every k inputs
def truncated_slope(w, xs, k):
    h, slope = 0.0, 0.0
    for t, x in enumerate(xs):
        if t % k == 0:
            slope = 0.0
        h, slope = np.tanh(w * h + x), (1 - np.tanh(w * h + x) ** 2) * (h + w * slope)
    return slope
