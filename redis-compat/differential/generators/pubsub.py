"""Publishing, which needs nobody who listens. Who does is in conversations.py."""

from generator import command


@command("publish", "spublish", weight=0.3)
def publish(g):
    return [g.any_key(), g.value()]


@command("pubsub|channels", "pubsub|shardchannels", weight=0.2)
def channels(g):
    return g.options("*", share=0.5)


@command("pubsub|numsub", "pubsub|shardnumsub", weight=0.2)
def numsub(g):
    return g.some(g.any_key, 3, 0)


@command("pubsub|numpat", "pubsub|help", weight=0.15)
def numpat(_):
    return []


@command("pubsub", weight=0.1)
def container(g):
    return g.pick(([], ["nosuch"], ["nosuch", "x"]))


@command("unsubscribe", "punsubscribe", "sunsubscribe", weight=0.15, mutate=False)
def unsubscribe(g):
    """From nothing, or from one: then there is one answer."""
    return g.options("nobody", share=0.5)
