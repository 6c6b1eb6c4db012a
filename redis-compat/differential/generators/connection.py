"""Connections: what can be said to oneself."""

from generator import Group, command

NO_ID = 987654321


@command("ping", "echo", weight=0.4)
def ping(g):
    return g.options(g.value, share=0.7)


@command("auth", weight=0.2)
def auth(g):
    return g.pick((["secret"], ["default", "secret"], ["nobody", "x"], [], ["", ""], ["a", "b", "c"]))


@command("select", weight=1.5, mutate=False)
def select(g):
    """Another database for a while, so that most of what happens meets."""
    database = g.pick((1, 2, 3)) if g.chance(0.9) else g.pick((-1, 16, "abc", "", 15, "1.5"))
    requests = Group([["select", database]])
    for _ in range(g.below(4)):
        requests.extend(g.next_of(g.pick(g.entries)) if g.chance(0.0) else [
            g.pick(([b"dbsize"], [b"keys", b"*"], [b"set", g.any_key(), b"x"], [b"get", g.any_key()],
                    [b"type", g.any_key()], [b"move", g.any_key(), b"0"]))])
    requests.append(["select", 0])
    return requests


@command("hello", weight=0.4, mutate=False)
def hello(g):
    if g.chance(0.3):
        return g.pick(([], [g.protocol], [1], [4], ["abc"], [g.protocol, "SETNAME", "name"],
                       [g.protocol, "SETNAME", "bad name"], [g.protocol, "AUTH", "default", "x"],
                       [g.protocol, "AUTH", "nobody"], [g.protocol, "NOSUCH"], [""],
                       [g.protocol, "SETNAME", ""], [g.protocol, "SETNAME"]))
    other = 5 - g.protocol
    read = g.pick((["hgetall", g.key("hash")], ["smembers", g.key("set")], ["get", g.key("none")],
                   ["zrange", g.key("zset"), 0, -1, "WITHSCORES"], ["config", "get", "maxmemory"]))
    return Group([["hello", other], read, ["hello", g.protocol]])


@command("client|id", "client|info", "client|getname", "client|getredir", "client|trackinginfo",
         "client|unpause", "client|help", weight=0.15)
def nothing(_):
    return []


@command("client|list", weight=0.15, mutate=False)
def client_list(g):
    return g.pick(([], ["TYPE", "normal"], ["TYPE", "nosuch"], ["TYPE"], ["ID", NO_ID], ["ID"],
                   ["ID", "abc"], ["ID", 0], ["NOSUCH"], ["TYPE", "replica"], ["TYPE", "pubsub"],
                   ["TYPE", "master"], ["ID", NO_ID, NO_ID]))


@command("client|setname", weight=0.3)
def setname(g):
    return [g.pick((b"name", b"", b"other", b"with space", b"new\nline", b"\xff", b"a" * 100))]


@command("client|no-evict", weight=0.15)
def no_evict(g):
    return [g.pick(("ON", "OFF", "on", "maybe"))]


@command("client|kill", weight=0.2, mutate=False)
def kill(g):
    return g.pick((["1.2.3.4:5"], ["ID", NO_ID], ["ID", "abc"], ["ID", 0], ["ADDR", "1.2.3.4:5"],
                   ["LADDR", "1.2.3.4:5"], ["TYPE", "nosuch"], ["USER", "nobody"],
                   ["TYPE", "slave"], ["TYPE", "normal", "ID", NO_ID],
                   ["SKIPME", "yes", "ID", NO_ID], ["SKIPME", "maybe"], ["NOSUCH", "x"], ["ID"],
                   ["USER", "default", "ID", NO_ID], ["TYPE", "replica", "ADDR", "1.2.3.4:5"],
                   [], ["TYPE", "master"], ["ID", NO_ID, "SKIPME", "no"]))


@command("client|pause", weight=0.1, mutate=False)
def pause(g):
    good = Group([["client", "pause", g.pick((0, 1, 2)), *g.options(lambda: g.pick(("WRITE", "ALL")))],
                  ["client", "unpause"]])
    bad = g.pick((["-1"], ["abc"], [], ["1", "SOME"], ["9223372036854775808"], ["1", "ALL", "x"]))
    return good if g.chance(0.5) else Group([["client", "pause", *bad]])


@command("client|unblock", weight=0.2)
def unblock(g):
    return g.pick(([NO_ID], [NO_ID, "TIMEOUT"], [NO_ID, "ERROR"], [NO_ID, "x"], ["abc"], [0], [],
                   [-1], [NO_ID, "error", "x"]))


@command("client|reply", weight=0.1, mutate=False)
def reply(g):
    return g.pick((["ON"], ["on"], ["NOSUCH"], [], ["ON", "x"]))


@command("client|tracking", weight=0.2, mutate=False)
def tracking(g):
    """On and off at once: what is told of keys comes when it likes, and is tried elsewhere."""
    options = g.options("BCAST", ["PREFIX", "a"], "OPTIN", "OPTOUT", "NOLOOP",
                        ["REDIRECT", NO_ID], ["PREFIX"], "NOSUCH", share=0.2)
    state = g.pick(("ON", "on", "OFF", "maybe", "ON"))
    return Group([["client", "tracking", state, *options], ["client", "trackinginfo"],
                  ["client", "getredir"], ["client", "tracking", "off"]])


@command("client|caching", weight=0.15)
def caching(g):
    return [g.pick(("YES", "NO", "maybe"))]


@command("client", weight=0.1)
def container(g):
    return g.pick(([], ["nosuch"], [""], ["nosuch", "x"]))
