"""Positions."""

from generator import EDGE_FLOATS, command

UNITS = ("m", "km", "ft", "mi", "KM")


def unit(g):
    return g.pick(UNITS) if g.chance(0.97) else g.pick(("cm", "", "parsec"))


def longitude(g):
    if g.chance(g.odd_share):
        return g.pick((b"180", b"-180", b"180.1", b"-181", b"0", *EDGE_FLOATS))
    return b"%d.%d" % (g.between(-30, 50), g.below(1000))


def latitude(g):
    if g.chance(g.odd_share):
        return g.pick((b"85.05112878", b"-85.05112878", b"85.06", b"-90", b"0", *EDGE_FLOATS))
    return b"%d.%d" % (g.between(-65, 65), g.below(1000))


def radius(g):
    if g.chance(g.odd_share):
        return g.pick((b"0", b"-1", *EDGE_FLOATS))
    return g.pick((b"1", b"100", b"1000", b"2500.5", b"5000", b"20000", b"100000", b"5000000"))


@command("geoadd", weight=1.5)
def geoadd(g):
    args = [g.key("geo"), *g.options("NX", "XX", "CH", share=0.15)]
    for _ in range(1 + g.below(4)):
        args += [longitude(g), latitude(g), g.element()]
    return args


@command("geopos", "geohash")
def positions(g):
    return [g.key("geo", "geo", "geo", "zset"), *g.some(g.element, 4, 0)]


@command("geodist")
def geodist(g):
    return [g.key("geo"), g.element(), g.element(), *g.options(lambda: unit(g))]


def _answer(g):
    return g.options("WITHCOORD", "WITHDIST", "WITHHASH", share=0.25)


def _count(g):
    return ["COUNT", g.integer(1, 5), *g.options("ANY", share=0.2)]


def _radius_options(g, store):
    options = [*_answer(g), *g.options(lambda: _count(g), lambda: g.pick(("ASC", "DESC")))]
    # ANY takes whichever comes first, which must not be kept.
    if store and "ANY" not in options and g.chance(0.25):
        options = options if g.chance(0.1) else [
            word for word in options if not str(word).startswith("WITH")]
        options += [g.pick(("STORE", "STOREDIST")), g.key("geo")]
    return options


@command("georadius", "georadius_ro")
def georadius(g):
    return [g.key("geo"), longitude(g), latitude(g), radius(g), unit(g), *_radius_options(g, True)]


@command("georadiusbymember", "georadiusbymember_ro")
def georadiusbymember(g):
    return [g.key("geo"), g.element(), radius(g), unit(g), *_radius_options(g, True)]


def _area(g):
    where = g.pick((lambda: ["FROMMEMBER", g.element()],
                    lambda: ["FROMLONLAT", longitude(g), latitude(g)]))
    shape = g.pick((lambda: ["BYRADIUS", radius(g), unit(g)],
                    lambda: ["BYBOX", radius(g), radius(g), unit(g)]))
    if g.chance(0.03):
        return [*where(), *where(), *shape()]
    if g.chance(0.03):
        return [*where(), *shape(), *shape()]
    return [*where(), *shape()]


@command("geosearch", weight=1.5)
def geosearch(g):
    return [g.key("geo"), *_area(g), *_answer(g),
            *g.options(lambda: _count(g), lambda: g.pick(("ASC", "DESC")))]


@command("geosearchstore")
def geosearchstore(g):
    return [g.key("geo"), g.key("geo"), *_area(g),
            *g.options(lambda: ["COUNT", 10000, "ANY"] if g.chance(0.1) else [
                "COUNT", g.integer(1, 5)], lambda: g.pick(("ASC", "DESC")), "STOREDIST"),
            *g.options("WITHDIST", share=0.03)]
