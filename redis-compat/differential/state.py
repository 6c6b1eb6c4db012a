"""Reads everything that two servers hold, as requests to compare like any other."""

import resp

DATABASES = 4

_READERS = {
    b"string": ((b"get",),),
    b"list": ((b"lrange", b"0", b"-1"),),
    b"set": ((b"smembers",),),
    b"hash": ((b"hgetall",),),
    b"zset": ((b"zrange", b"0", b"-1", b"WITHSCORES"),),
    b"stream": ((b"xrange", b"-", b"+"),),
}


def requests_to_read(connection):
    """The requests that read the whole state, as groups of (SELECT, reads of one key). What is to be
    read is asked of the one server; that the other holds the same keys is the first comparison."""
    groups = []
    for database in range(DATABASES):
        select = [b"select", b"%d" % database]
        connection.call(*select)
        groups.append([select, [b"dbsize"], [b"keys", b"*"], [b"scan", b"0", b"count", b"100000"]])
        for _, key in sorted(resp.parse(connection.call("KEYS", "*"))[1]):
            groups.append([select, *_requests_for_key(connection, key)])
    connection.call("SELECT", "0")
    groups.append([[b"select", b"0"], [b"debug", b"digest"], [b"info", b"keyspace"]])
    return groups


def _requests_for_key(connection, key):
    kind = resp.parse(connection.call("TYPE", key))[1]
    requests = [[b"type", key], [b"object", b"encoding", key], [b"pttl", key],
                [b"debug", b"digest-value", key], [b"dump", key]]
    requests += [[name, key, *rest] for name, *rest in _READERS.get(kind, ())]
    if kind == b"stream":
        requests.append([b"xinfo", b"stream", key, b"full", b"count", b"0"])
        requests.append([b"xinfo", b"groups", key])
    return requests
