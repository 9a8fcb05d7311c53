"""Where the boxes of a graph stand: in layers, from the inputs to the results.

Graphviz does this better, but is not everywhere. A figure that is stored in a notebook must
come out the same on every machine, so this is plain arithmetic in a fixed order.
"""

from collections import defaultdict
from itertools import pairwise

BETWEEN_LAYERS, BETWEEN_BOXES, BETWEEN_LINES = 50, 18, 12


def layout(nodes, links, size, room):
    """Places for boxes, and for each link the points that its line goes through.

    nodes  in an order in which every link leads from an earlier one to a later one
    links  pairs (source, target); the same pair may occur twice
    size   a function of a node: its length along the layers' direction, and across it
    room   for each link the length of what is to stand at its beginning, where the line is still straight

    Returns `(place, routes)`: the centre of each node as (along, across), and for each link a
    list of points; between two of them the line bends, or is straight where `across` is equal.
    """
    rank = ranks(nodes, links)
    chains = [[a, *((i, r) for r in range(rank[a] + 1, rank[b])), b] for i, (a, b) in enumerate(links)]
    layers = [[] for _ in range(max(rank.values()) + 1)]
    for node in [*nodes, *(bend for chain in chains for bend in chain[1:-1])]:
        layers[rank[node] if node in rank else node[1]].append(node)
    extent = {node: size(node) if node in rank else (0, 0) for layer in layers for node in layer}
    before, after = defaultdict(list), defaultdict(list)
    for a, b in (pair for chain in chains for pair in pairwise(chain)):
        after[a].append(b)
        before[b].append(a)
    layers = untangled(layers, before, after)
    across = straightened(layers, before, after, extent)
    reach = [max(extent[node][0] for node in layer) for layer in layers]
    straight = [0] * len(layers)
    for (a, _), length in zip(links, room, strict=True):
        straight[rank[a]] = max(straight[rank[a]], length)
    begin = [sum(reach[:r]) + sum(straight[:r]) + BETWEEN_LAYERS * r for r in range(len(layers))]
    along = [begin[r] + reach[r] / 2 for r in range(len(layers))]
    sides = [(begin[r], begin[r] + reach[r] + straight[r]) for r in range(len(layers))]
    place = {node: (along[r], across[node]) for r, layer in enumerate(layers) for node in layer}
    leave, arrive = ports(chains, across, extent, -1), ports(chains, across, extent, 0)
    return {node: place[node] for node in nodes}, [
        route(chain, place, extent, sides, rank, leave[i], arrive[i]) for i, chain in enumerate(chains)
    ]


def ranks(nodes, links):
    """The layer of each node: after all that it was made of; what is made of nothing, just before its first use."""
    rank = dict.fromkeys(nodes, 0)
    into, users = defaultdict(list), defaultdict(list)
    for a, b in links:
        into[b].append(a)
        users[a].append(b)
    for node in nodes:
        rank[node] = max((rank[a] + 1 for a in into[node]), default=0)
    for node in nodes:
        if not into[node] and users[node]:
            rank[node] = min(rank[b] for b in users[node]) - 1
    return rank


def untangled(layers, before, after):
    """The layers, each in an order that lets few lines cross: nodes move to the mean of their neighbours."""
    best, fewest = layers, crossings(layers, after)
    for turn in range(24):
        layers = [list(layer) for layer in layers]
        neighbours, order = (before, 1) if turn % 2 == 0 else (after, -1)
        index = {}
        for layer in layers[::order]:
            here = {node: i for i, node in enumerate(layer)}
            layer.sort(key=lambda n: mean([index[m] for m in neighbours[n]], here[n]))
            index |= {node: i for i, node in enumerate(layer)}
        if (n := crossings(layers, after)) < fewest:
            best, fewest = layers, n
    return best


def mean(numbers, default):
    return sum(numbers) / len(numbers) if numbers else default


def crossings(layers, after):
    """How many pairs of lines cross between neighbouring layers."""
    index = {node: i for layer in layers for i, node in enumerate(layer)}
    count = 0
    for layer in layers:
        lines = [(index[a], index[b]) for a in layer for b in after[a]]
        count += sum((a - c) * (b - d) < 0 for i, (a, b) in enumerate(lines) for c, d in lines[:i])
    return count


def straightened(layers, before, after, extent):
    """For each node where it stands across: near its neighbours, and apart from the next one."""
    place = {}
    for layer in layers:
        place |= dict(zip(layer, apart([0] * len(layer), gaps(layer, extent)), strict=True))
    for turn in range(60):
        for layer in layers[:: 1 if turn % 2 else -1]:
            wanted = [mean([place[m] for m in before[n] + after[n]], place[n]) for n in layer]
            place |= dict(zip(layer, apart(wanted, gaps(layer, extent)), strict=True))
    top = min(place[node] - extent[node][1] / 2 for node in place)
    return {node: round(place[node] - top) for node in place}


def gaps(layer, extent):
    """How far apart neighbours in a layer have to be, centre from centre."""
    return [
        (extent[a][1] + extent[b][1]) / 2 + (BETWEEN_BOXES if extent[a][1] or extent[b][1] else BETWEEN_LINES)
        for a, b in pairwise(layer)
    ]


def apart(wanted, gaps):
    """The numbers closest to `wanted` (least squares) of which each is at least a gap larger than the one before.

    >>> apart([0, 0, 100], [10, 10])
    [-5.0, 5.0, 100.0]
    """
    offsets = [sum(gaps[:i]) for i in range(len(wanted))]
    blocks = []  # of numbers that stand as close as they may: their sum and their count
    for w, o in zip(wanted, offsets, strict=True):
        blocks.append((w - o, 1))
        while len(blocks) > 1 and blocks[-2][0] * blocks[-1][1] > blocks[-1][0] * blocks[-2][1]:
            (s, n), (t, m) = blocks[-2:]
            blocks[-2:] = [(s + t, n + m)]
    means = [s / n for s, n in blocks for _ in range(n)]
    return [m + o for m, o in zip(means, offsets, strict=True)]


def ports(chains, across, extent, end):
    """For each chain how far beside the middle of its first (end -1) or last (end 0) node the line is tied on."""
    tied = defaultdict(list)
    for i, chain in enumerate(chains):
        node, towards = (chain[0], chain[1]) if end else (chain[-1], chain[-2])
        tied[node].append((across[towards], i))
    offset = {}
    for node, ends in tied.items():
        step = min(0.23, 0.7 / len(ends)) * extent[node][1]
        for k, (_, i) in enumerate(sorted(ends)):
            offset[i] = round((k - (len(ends) - 1) / 2) * step)
    return offset


def route(chain, place, extent, sides, rank, leave, arrive):
    """The points of one line: from the side of a box, past the layers between, to the side of a box."""
    first, *bends, last = chain
    (x0, y0), (x1, y1) = place[first], place[last]
    points = [(x0 + extent[first][0] / 2, y0 + leave), (sides[rank[first]][1], y0 + leave)]
    for bend in bends:
        points += [(x, place[bend][1]) for x in sides[bend[1]]]
    return [*points, (sides[rank[last]][0], y1 + arrive), (x1 - extent[last][0] / 2, y1 + arrive)]
