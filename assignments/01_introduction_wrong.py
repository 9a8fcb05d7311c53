# Known wrong answers of chapter 1. Each takes the place of the right one.
# %% the forward difference
# fails: a one sided difference, an error of another order
def central_difference(f, x, h):
    return (f(x + h) - f(x)) / h


# %% four points instead of two
# fails: an error of another order, more than two evaluations
def central_difference(f, x, h):
    near = (f(x + h) - f(x - h)) / (2 * h)
    far = (f(x + 2 * h) - f(x - 2 * h)) / (4 * h)
    return (4 * near - far) / 3


# %% asks f again for the value in the middle
# fails: more than two evaluations
def central_difference(f, x, h):
    middle = f(x)
    return ((f(x + h) - middle) + (middle - f(x - h))) / (2 * h)


# %% half the distance
# fails: an error of another order
def central_difference(f, x, h):
    return (f(x + h / 2) - f(x - h / 2)) / h


# %% a complex step in the place of a difference
# fails: an error of another order, more than two evaluations
def central_difference(f, x, h):
    return f(x + 1j * h).imag / h


# %% chooses a small h itself
# fails: a one sided difference, an error of another order, an h of its own
def central_difference(f, x, h):
    h = 1e-9
    return (f(x + h) - f(x - h)) / (2 * h)


# %% a number that changes with h
# fails: a one sided difference, an error of another order, more than two evaluations, an h of its own
def central_difference(f, x, h):
    return h


# %% the square root for all methods
# fails: a square root for every order
def balanced_h(order, eps):
    return eps**0.5


# %% where the sum of the errors is least
# fails: a square root for every order
def balanced_h(order, eps):
    return (eps / order) ** (1 / (order + 1))


# %% always float64
# fails: a square root for every order, the eps of float64 for all, rounding that is not divided by h
def balanced_h(order, eps):
    return np.finfo(float).eps ** (1 / (order + 1))


# %% rounding does not grow when h shrinks
# fails: a square root for every order, the eps of float64 for all, rounding that is not divided by h
def balanced_h(order, eps):
    return eps ** (1 / order)


# %% a central difference with a small h
# fails: a difference in disguise, more than one evaluation
def complex_step(f, x, h=1e-5):
    return (f(x + h) - f(x - h)) / (2 * h)


# %% the real part of the step
# fails: a difference in disguise, the real part, more than one evaluation
def complex_step(f, x, h=1e-20):
    return f(x + 1j * h).real


# %% a complex step that is too large
# fails: a difference in disguise
def complex_step(f, x, h=1e-5):
    return f(x + 1j * h).imag / h


# %% a complex step on both sides
# fails: more than one evaluation
def complex_step(f, x, h=1e-20):
    return (f(x + 1j * h) - f(x - 1j * h)).imag / (2 * h)


# %% slopes are multiplied
# fails: the product of the slopes, a quotient rule of its own, no plain number on the left, no plain number on the right, a subtraction the wrong way round, a dual that is overwritten, a loop that asks the value, a program that forgets its input, a difference instead of duals
def multiply(self, other):
    other = lift(other)
    return Dual(self.value * other.value, self.slope * other.slope)


Dual.__mul__ = Dual.__rmul__ = multiply


# %% the quotient without the square
# fails: a quotient rule of its own, no plain number on the left, no plain number on the right, a difference instead of duals
def divide(self, other):
    other = lift(other)
    return Dual(self.value / other.value, (self.slope * other.value - self.value * other.slope) / other.value)


Dual.__truediv__ = divide
Dual.__rtruediv__ = lambda self, other: divide(lift(other), self)


# %% only duals are added and multiplied from the left
# fails: no plain number on the left, a subtraction the wrong way round, a loop that asks the value, a program that forgets its input
del Dual.__radd__, Dual.__rmul__, Dual.__rsub__, Dual.__rtruediv__


# %% expects a Dual on the right
# fails: no plain number on the right
def only(name):
    right = getattr(Dual, name)
    return lambda self, other: right(self, Dual(other.value, other.slope))


for name in "__add__", "__sub__", "__mul__", "__truediv__":
    setattr(Dual, name, only(name))


# %% adds in place
# fails: a dual that is overwritten
def add(self, other):
    other = lift(other)
    self.value, self.slope = self.value + other.value, self.slope + other.slope
    return self


Dual.__add__ = add


# %% c − x as x − c
# fails: a subtraction the wrong way round
Dual.__rsub__ = Dual.__sub__


# %% the program must return a Dual
# fails: a program that forgets its input
def slope_of(program, x):
    return program(Dual(x, 1.0)).slope


# %% a difference around the program
# fails: a loop that asks the value, a difference instead of duals
def slope_of(program, x):
    h = 1e-6
    return (program(x + h) - program(x - h)) / (2 * h)


# %% a Dual that cannot be compared
# fails: a loop that asks the value
del Dual.__lt__
