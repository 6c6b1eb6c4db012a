// A program that knows nothing of stampede protection, over ioredis, with a rule: many callers share
// one connection. They must never wait for each other on the server, for whoever loads sends its
// SET behind their GETs.
import Redis from 'ioredis';
import * as h from './harness.mjs';

const {test, eq, check, sleep} = h;

const kCallers = 1000;
const kOriginMilliseconds = 100;
const kWaitMilliseconds = 10_000;

// What stands behind the cache, and how often it was asked.
class Origin {
  loads = new Map();

  async load(key) {
    this.loads.set(key, (this.loads.get(key) ?? 0) + 1);
    await sleep(kOriginMilliseconds);
    return `value of ${key}`;
  }
}

async function cached(cache, origin, key) {
  const found = await cache.get(key);
  if (found !== null) return found;
  const value = await origin.load(key);
  await cache.set(key, value, 'EX', 60);
  return value;
}

const keyOf = (i, keys) => `product:${i % keys}`;

// All callers at once. Returns how long it took until the last of them had its value.
async function callAtOnce(cache, origin, keys) {
  const began = performance.now();
  const calls = Array.from({length: kCallers}, (_, i) => cached(cache, origin, keyOf(i, keys)));
  eq(await Promise.all(calls),
     Array.from({length: kCallers}, (_, i) => `value of ${keyOf(i, keys)}`));
  return performance.now() - began;
}

function connect() {
  return new Redis({host: h.host, port: h.port});
}

for (const keys of [1, 10, 100]) {
  test(`callers that share a connection do not hold each other up, ${keys} keys`, async (r) => {
    const origin = new Origin();
    const milliseconds = await callAtOnce(r, origin, keys);
    // Had one of them been parked, the SET behind it would have come after its time only.
    check(milliseconds < kWaitMilliseconds + kOriginMilliseconds, `${milliseconds} ms`);
    eq(origin.loads.size, keys);
    eq(await r.dbsize(), keys);
  });

  test(`callers of another connection wait for what is loaded, ${keys} keys`, async (r) => {
    const origin = new Origin();
    const second = connect();
    try {
      const names = Array.from({length: keys}, (_, i) => keyOf(i, keys));
      // All of the first connection's callers are told to load before the second one asks.
      eq(await r.mget(names), names.map(() => null));
      const firsts = names.map((name) => cached(r, origin, name));
      await r.ping();
      eq(origin.loads.size, keys);
      const milliseconds = await callAtOnce(second, origin, keys);
      check(milliseconds < kWaitMilliseconds, `${milliseconds} ms`);
      await Promise.all(firsts);
      eq([...origin.loads.values()], names.map(() => 1));
    } finally {
      second.disconnect();
    }
  });
}

await h.run(
    async () => {
      const client = connect();
      await client.flushall();
      const rule = `product:* lease 60s wait ${kWaitMilliseconds}ms grace 30s`;
      await client.config('SET', 'stampede-rule', rule);
      return client;
    },
    async (client) => client.disconnect());
