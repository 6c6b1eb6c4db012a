// Drives the server with node-redis, in RESP3 and RESP2.
import {
  BasicClientSideCache,
  createClient,
  createClientPool,
  RESP_TYPES,
  WatchError,
} from 'redis';
import * as h from './harness.mjs';

const {test, eq, check, rejects, until} = h;

let opened = [];

async function connect(options = {}) {
  const client = createClient({
    RESP: 3,
    ...options,
    socket: {host: h.host, port: h.port, reconnectStrategy: 20, ...options.socket},
  });
  client.on('error', () => {});
  opened.push(client);
  return client.connect();
}

// Each of these is told twice, once a protocol version.
function testBoth(name, body) {
  for (const RESP of [2, 3]) {
    test(`${name} (RESP${RESP})`, async () => {
      const client = await connect({RESP});
      await body(client, RESP);
    });
  }
}

testBoth('strings', async (r) => {
  eq(await r.set('k', 'v', {expiration: {type: 'EX', value: 100}}), 'OK');
  eq(await r.set('k', 'w', {condition: 'NX'}), null);
  eq(await r.set('k', 'w', {GET: true, expiration: 'KEEPTTL'}), 'v');
  check(await r.ttl('k') > 98);
  eq(await r.getEx('k', {type: 'PERSIST'}), 'w');
  eq(await r.ttl('k'), -1);
  eq(await r.incrByFloat('f', 2.5), '2.5');
  eq(await r.mSet([['a', '1'], ['b', '2']]), 'OK');
  eq(await r.mGet(['a', 'b', 'c']), ['1', '2', null]);
  eq(await r.getDel('a'), '1');
  eq(await r.exists(['a', 'b']), 1);
});

testBoth('the handshake', async (r, RESP) => {
  const info = await r.clientInfo();
  eq(info.resp, RESP);
  if (h.isLarder) {
    eq([info.libName, info.libVer], ['node-redis', '5.12.1']);
  }
  const named = await connect({RESP, name: 'me', database: 3});
  eq(await named.clientGetName(), 'me');
  eq((await named.clientInfo()).db, 3);
});

testBoth('replies that differ between the versions', async (r) => {
  eq((await r.configGet('maxmemory*'))['maxmemory-policy'], 'noeviction');
  eq(await r.pubSubNumSub(['a']), Object.assign(Object.create(null), {a: 0}));
  const hello = await r.hello();
  eq([hello.server, hello.role, hello.mode], ['redis', 'master', 'standalone']);
  await r.set('k', 'v');
  check((await r.memoryStats())['keys.count'] === 1);
  eq(await r.objectEncoding('k'), 'embstr');
  const {flags, redirect, prefixes} = await r.clientTrackingInfo();
  eq([flags, redirect, prefixes], [['off'], -1, []]);
});

testBoth('binary safe', async (r) => {
  const buffers = r.withTypeMapping({[RESP_TYPES.BLOB_STRING]: Buffer});
  const everyByte = Buffer.from(Array.from({length: 256}, (_, i) => i));
  await r.set(everyByte, everyByte);
  eq(await buffers.get(everyByte), everyByte);
  const large = h.randomBytes(4 << 20);
  await r.set('large', large);
  check(large.equals(await buffers.get('large')), 'came back changed');
});

testBoth('commands in flight keep their order', async (r) => {
  const replies = await Promise.all(Array.from({length: 10_000}, () => r.incr('n')));
  eq(replies, Array.from({length: 10_000}, (_, i) => i + 1));
});

testBoth('transactions', async (r) => {
  eq(await r.multi().set('a', '1').incr('a').get('a').exec(), ['OK', 2, '2']);
  const failing = await r.multi().set('word', 'abc').incr('word').exec().catch((error) => error);
  eq(failing.errorIndexes, [1]);
  eq(failing.replies[1].message, 'ERR value is not an integer or out of range');
  eq(await r.get('word'), 'abc');
  await rejects(r.multi().set('never', '1').addCommand(['NOSUCH']).exec(),
                "ERR unknown command 'NOSUCH', with args beginning with: ");
  eq(await r.exists('never'), 0);
});

testBoth('watch loops lose no update', async (r, RESP) => {
  await r.set('n', '0');
  const add = async () => {
    const client = await connect({RESP});
    for (let done = 0; done < 30;) {
      await client.watch('n');
      const n = Number(await client.get('n'));
      try {
        await client.multi().set('n', String(n + 1)).exec();
        ++done;
      } catch (error) {
        check(error instanceof WatchError, error.message);
      }
    }
  };
  await Promise.all(Array.from({length: 6}, add));
  eq(await r.get('n'), '180');
});

testBoth('scan iterators', async (r) => {
  const keys = Array.from({length: 2000}, (_, i) => `s:${i}`);
  await r.mSet(keys.map((key) => [key, '1']));
  await r.set('other', '1');
  const seen = new Set();
  for await (const batch of r.scanIterator({MATCH: 's:*', COUNT: 100, TYPE: 'string'})) {
    batch.forEach((key) => seen.add(key));
  }
  eq([...seen].sort(), keys.sort());
});

testBoth('expiry', async (r) => {
  const now = Math.floor(Date.now() / 1000);
  await r.set('k', 'v');
  eq(await r.expire('k', 100, 'NX'), 1);
  eq(await r.expire('k', 50, 'GT'), 0);
  eq(await r.expireAt('k', now + 500), 1);
  eq(await r.expireTime('k'), now + 500);
  eq(await r.persist('k'), 1);
  eq(await r.pExpire('k', 30), 1);
  await until(async () => await r.get('k') === null);
});

testBoth('channels, patterns, shards', async (r, RESP) => {
  const subscriber = await connect({RESP});
  const got = [];
  const listen = (message, channel) => got.push(`${channel}=${message}`);
  await subscriber.subscribe('news', listen);
  await subscriber.pSubscribe('n*', listen);
  await subscriber.sSubscribe('orders', listen);
  eq(await r.publish('news', 'hello'), 2);
  eq(await r.sPublish('orders', 'one'), 1);
  await until(() => got.length === 3);
  eq(got, ['news=hello', 'news=hello', 'orders=one']);
  eq(await r.pubSubChannels(), ['news']);
  eq(await r.pubSubNumPat(), 1);
  eq(await r.pubSubShardChannels(), ['orders']);
  await subscriber.unsubscribe('news');
  await subscriber.pUnsubscribe();
  await subscriber.sUnsubscribe('orders');
  eq(await r.publish('news', 'x'), 0);
  eq(await subscriber.get('usable again'), null);
});

test('RESP3 mixes subscriptions and commands on one connection', async () => {
  const r = await connect();
  const got = [];
  await r.subscribe('ch', (message) => got.push(message));
  eq(await r.set('k', 'v'), 'OK');
  eq(await r.publish('ch', 'to myself'), 1);
  eq(await r.get('k'), 'v');
  await until(() => got.length === 1);
  eq(got, ['to myself']);
});

testBoth('subscriptions survive CLIENT KILL', async (r, RESP) => {
  const subscriber = await connect({RESP, name: 'listener'});
  const got = [];
  await subscriber.subscribe('ch', (message) => got.push(message));
  const {id} = (await r.clientList()).find(({name}) => name === 'listener');
  eq(await r.clientKill({filter: 'ID', id}), 1);
  await until(async () => await r.publish('ch', 'again') === 1);
  await until(() => got.length > 0);
  eq(got[0], 'again');
});

testBoth('keyspace notifications', async (r, RESP) => {
  eq(await r.configSet('notify-keyspace-events', 'KEA'), 'OK');
  const subscriber = await connect({RESP});
  const got = [];
  await subscriber.pSubscribe('__keyevent@*__:*', (key, channel) => got.push([channel, key]));
  await r.set('session', 'x', {expiration: {type: 'PX', value: 30}});
  await until(() => got.length === 3);
  eq(got, [['__keyevent@0__:set', 'session'], ['__keyevent@0__:expire', 'session'],
           ['__keyevent@0__:expired', 'session']]);
  eq(await r.configSet('notify-keyspace-events', ''), 'OK');
});

test('a client-side cache is told what changed', async () => {
  const writer = await connect();
  const cache = new BasicClientSideCache();
  const reader = await connect({clientSideCache: cache});
  await writer.set('k', 'old');
  for (let i = 0; i < 10; ++i) eq(await reader.get('k'), 'old');
  eq([cache.stats().missCount, cache.stats().hitCount], [1, 9]);
  await writer.set('k', 'new');
  await until(async () => await reader.get('k') === 'new');
  eq(await reader.get('k'), 'new');
  await writer.flushAll();
  await until(async () => await reader.get('k') === null);
  await writer.set('soon', 'gone', {expiration: {type: 'PX', value: 50}});
  eq(await reader.get('soon'), 'gone');
  await until(async () => await reader.get('soon') === null);
});

test('invalidations reach a tracking client', async () => {
  const writer = await connect();
  const reader = await connect({emitInvalidate: true});
  const got = [];
  reader.on('invalidate', (key) => got.push(key?.toString() ?? null));
  await writer.set('k', 'v');
  await reader.get('k');
  await writer.set('k', 'w');
  await until(() => got.length === 1);
  await writer.flushAll();
  await until(() => got.length === 2);
  eq(got, ['k', null]);
});

test('a pool', async () => {
  const pool = createClientPool({RESP: 3, socket: {host: h.host, port: h.port}},
                                {minimum: 2, maximum: 10});
  pool.on('error', () => {});
  await pool.connect();
  await Promise.all(Array.from({length: 1000}, () => pool.incr('total')));
  eq(await pool.get('total'), '1000');
  eq(await pool.execute((client) => client.multi().incr('total').incr('total').exec()),
     [1001, 1002]);
  pool.destroy();
});

testBoth('authentication', async (_, RESP) => {
  const socket = {port: h.authPort};
  const client = await connect({RESP, socket, password: h.password});
  eq(await client.ping(), 'PONG');
  const both = await connect({RESP, socket, username: 'default', password: h.password});
  eq(await both.ping(), 'PONG');
  await rejects(connect({RESP, password: 'wrong', socket: {...socket, reconnectStrategy: false}}),
                'WRONGPASS invalid username-password pair or user is disabled.');
});

testBoth('unix socket', async (r, RESP) => {
  const local = createClient({RESP, socket: {path: h.unixSocket}});
  opened.push(local);
  await local.connect();
  await local.set('over', 'unix');
  eq(await r.get('over'), 'unix');
});

testBoth('monitor', async (r, RESP) => {
  const watching = await connect({RESP});
  const got = [];
  await watching.monitor((line) => got.push(line.toString()));
  await r.set('seen', 'a "b"');
  await until(() => got.some((line) => line.includes('seen')));
  check(got.some((line) => /^\d+\.\d{6} \[0 127\.0\.0\.1:\d+\] "SET" "seen" "a \\"b\\""$/.test(line)),
        got.join('\n'));
});

testBoth('errors', async (r) => {
  await r.set('word', 'abc');
  await rejects(r.incr('word'), 'ERR value is not an integer or out of range');
  await rejects(r.sendCommand(['GET']), "ERR wrong number of arguments for 'get' command");
  await rejects(r.sendCommand(['NOSUCH', 'a']),
                "ERR unknown command 'NOSUCH', with args beginning with: 'a' ");
  await rejects(r.rename('none', 'x'), 'ERR no such key');
});

if (h.isLarder) {
  // What came after Redis 7.0, as this library sends it.
  testBoth('newer string commands', async (r) => {
    eq(await r.mSetEx([['a', '1'], ['b', '2']], {expiration: {type: 'EX', value: 100}}), 1);
    check(await r.ttl('b') > 98);
    eq(await r.set('a', '3', {condition: 'IFEQ', matchValue: '2'}), null);
    eq(await r.set('a', '3', {condition: 'IFEQ', matchValue: '1'}), 'OK');
    const digest = await r.digest('a');
    check(/^[0-9a-f]{16}$/.test(digest), digest);
    eq(await r.delEx('a', {condition: 'IFDNE', matchValue: digest}), 0);
    eq(await r.delEx('a', {condition: 'IFDEQ', matchValue: digest}), 1);
    eq(await r.clientNoTouch(true), 'OK');
  });
}

testBoth('reconnects after a restart', async (r, RESP) => {
  await r.set('k', 'before');
  const other = await connect({RESP});
  const broken = new Promise((done) => other.once('reconnecting', done));
  r.sendCommand(['SHUTDOWN', 'NOSAVE']).catch(() => {});
  await broken;
  eq(await other.get('k'), null);  // Asked while there is no server: waits for the next one.
  eq(await other.set('k', 'after'), 'OK');
});

await h.run(
    async () => {
      const client = await connect();
      await client.flushAll();
      return client;
    },
    async () => {
      opened.filter((client) => client.isOpen).forEach((client) => client.destroy());
      opened = [];
    });
