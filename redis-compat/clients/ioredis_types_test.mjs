// Drives the server's data types with ioredis.
import Redis from 'ioredis';
import * as h from './harness.mjs';

const {test, eq, check, rejects, until} = h;

const kWrongType = 'WRONGTYPE Operation against a key holding the wrong kind of value';

let opened = [];

function connect(options = {}) {
  const client = new Redis({host: h.host, port: h.port, ...options});
  client.on('error', () => {});
  opened.push(client);
  return client;
}

async function blocked(r, clients) {
  await until(async () => (await r.info('clients')).includes(`blocked_clients:${clients}\r\n`));
}

const numbers = (count) => Array.from({length: count}, (_, i) => String(i));

test('lists', async (r) => {
  eq(await r.rpush('l', 'a', 'b', 'c'), 3);
  eq(await r.lpush('l', ['y', 'z']), 5);
  eq(await r.lrange('l', 0, -1), ['z', 'y', 'a', 'b', 'c']);
  eq(await r.linsert('l', 'AFTER', 'b', 'x'), 6);
  eq(await r.lpos('l', 'x', 'RANK', -1), 4);
  eq(await r.lrem('l', -1, 'x'), 1);
  eq(await r.lpop('l', 2), ['z', 'y']);
  eq(await r.lmove('l', 'm', 'RIGHT', 'LEFT'), 'c');
  eq(await r.lmpop(2, 'none', 'l', 'LEFT', 'COUNT', 5), ['l', ['a', 'b']]);
  eq(await r.ltrim('m', 1, 0), 'OK');
  eq(await r.exists('l', 'm'), 0);
});

test('blocking pops on connections of their own', async (r) => {
  const clients = Array.from({length: 10}, () => connect());
  const pops = clients.map((client) => client.blpop('a', 'b', 10));
  await blocked(r, 10);
  await r.rpush('b', ...numbers(10));
  const got = await Promise.all(pops);
  eq(got.map(([key]) => key), Array(10).fill('b'));
  eq(got.map(([, value]) => value).sort(), numbers(10));
  eq(await clients[0].brpop('none', 0.05), null);
  const move = clients[0].blmove('from', 'to', 'LEFT', 'LEFT', 10);
  const least = clients[1].bzpopmin('z', 10);
  await blocked(r, 2);
  await r.multi().rpush('from', 'x').zadd('z', 2, 'b', 1, 'a').exec();
  eq([await move, await least], ['x', ['z', 'a', '1']]);
});

test('commands behind a blocking one wait', async (r) => {
  const client = connect();
  const replies = [client.blpop('l', 10), client.set('after', 1), client.get('after')];
  await blocked(r, 1);
  eq(await r.exists('after'), 0);
  await r.rpush('l', 'x');
  eq(await Promise.all(replies), [['l', 'x'], 'OK', '1']);
});

test('a blocked client that is killed leaves its place', async (r) => {
  const client = connect({retryStrategy: null});
  const id = await client.client('ID');
  const pop = client.blpop('l', 0).catch((error) => error.message);
  await blocked(r, 1);
  eq(await r.client('KILL', 'ID', id), 1);
  eq(await pop, 'Connection is closed.');
  await blocked(r, 0);
  await r.rpush('l', 'kept');
  eq(await r.lrange('l', 0, -1), ['kept']);
});

test('a blocked client that reconnects asks again', async (r) => {
  const client = connect({autoResendUnfulfilledCommands: true});
  const id = await client.client('ID');
  const pop = client.blpop('l', 10);
  await blocked(r, 1);
  await r.client('KILL', 'ID', id);
  await until(async () => await r.rpushx('l', 'x') === 0 && client.status === 'ready');
  await blocked(r, 1);
  await r.rpush('l', 'at last');
  eq(await pop, ['l', 'at last']);
});

test('hashes', async (r) => {
  eq(await r.hset('h', {a: 1, b: 'two'}), 2);
  eq(await r.hset('h', new Map([['c', '3']])), 1);
  eq(await r.hgetall('h'), {a: '1', b: 'two', c: '3'});
  eq(await r.hmget('h', 'a', 'none'), ['1', null]);
  eq(await r.hincrby('h', 'a', 9), 10);
  eq(await r.hincrbyfloat('h', 'a', 0.1), '10.1');
  eq(await r.hdel('h', 'a', 'b'), 2);
  eq(await r.hrandfield('h', 1, 'WITHVALUES'), ['c', '3']);
  eq(await r.hgetall('none'), {});
  const field = Buffer.from([0, 255, 13, 10]);
  await r.hset('binary', field, field);
  eq(Object.values(await r.hgetallBuffer('binary')), [field]);
  await rejects(r.hincrby('h', 'c', 'x'), 'ERR value is not an integer or out of range');
  await rejects(r.sadd('h', 1), kWrongType);
});

test('scan streams of collections', async (r) => {
  const names = numbers(3000).map((n) => `member:${n}`);
  await r.sadd('s', ...names);
  await r.hset('h', Object.fromEntries(names.map((name) => [name, 'v'])));
  await r.zadd('z', ...names.flatMap((name, i) => [i, name]));
  for (const [stream, step] of [[r.sscanStream('s', {count: 100}), 1],
                                [r.hscanStream('h', {count: 100}), 2],
                                [r.zscanStream('z', {match: 'member:*'}), 2]]) {
    const seen = new Set();
    for await (const batch of stream) {
      for (let i = 0; i < batch.length; i += step) seen.add(batch[i]);
    }
    eq([...seen].sort(), [...names].sort());
  }
});

test('sets', async (r) => {
  eq(await r.sadd('s', 1, 2, 3), 3);
  eq(await r.object('ENCODING', 's'), 'intset');
  eq(await r.sadd('t', 2, 3, 'x'), 3);
  eq((await r.sinter('s', 't')).sort(), ['2', '3']);
  eq((await r.sunion('s', 't')).sort(), ['1', '2', '3', 'x']);
  eq(await r.sdiff('t', 's'), ['x']);
  eq(await r.sintercard(2, 's', 't', 'LIMIT', 1), 1);
  eq(await r.smismember('s', 1, 9), [1, 0]);
  eq((await r.spop('t', 5)).sort(), ['2', '3', 'x']);
  eq(await r.exists('t'), 0);
});

test('sorted sets', async (r) => {
  eq(await r.zadd('z', 1, 'a', 2, 'b', '+inf', 'c'), 3);
  eq(await r.zrange('z', 0, -1, 'WITHSCORES'), ['a', '1', 'b', '2', 'c', 'inf']);
  eq(await r.zadd('z', 'XX', 'INCR', 5, 'a'), '6');
  eq(await r.zrangebyscore('z', '(2', '+inf', 'LIMIT', 0, 1), ['a']);
  eq(await r.zrange('z', '[z', '-', 'BYLEX', 'REV').then((found) => found.length), 3);
  eq(await r.zpopmax('z'), ['c', 'inf']);
  eq(await r.zmpop(1, 'z', 'MIN', 'COUNT', 2), ['z', [['b', '2'], ['a', '6']]]);
});

test('streams and consumer groups', async (r) => {
  const ids = [];
  for (let i = 0; i < 10; ++i) ids.push(await r.xadd('s', '*', 'n', i));
  eq((await r.xrange('s', '-', '+', 'COUNT', 2)).map(([id]) => id), ids.slice(0, 2));
  eq(await r.xgroup('CREATE', 's', 'g', 0), 'OK');
  const [[, taken]] = await r.xreadgroup('GROUP', 'g', 'ann', 'COUNT', 4, 'STREAMS', 's', '>');
  eq(taken.map(([, fields]) => fields), [0, 1, 2, 3].map((i) => ['n', String(i)]));
  eq(await r.xack('s', 'g', ...ids.slice(0, 3)), 3);
  eq(await r.xpending('s', 'g'), [1, ids[3], ids[3], [['ann', '1']]]);
  eq(await r.xautoclaim('s', 'g', 'bob', 0, 0, 'JUSTID'), ['0-0', [ids[3]], []]);
  const none = connect().xreadgroup('GROUP', 'g', 'cid', 'BLOCK', 10_000, 'STREAMS', 'new', '>');
  await rejects(
      none, "NOGROUP No such key 'new' or consumer group 'g' in XREADGROUP with GROUP option");
  const reads = connect().xread('BLOCK', 10_000, 'STREAMS', 's', '$');
  await blocked(r, 1);
  const id = await r.xadd('s', 'MAXLEN', 3, '*', 'last', 1);
  eq(await reads, [['s', [[id, ['last', '1']]]]]);
  eq(await r.xlen('s'), 3);
});

test('bits, sketches, places', async (r) => {
  eq(await r.setbit('b', 9, 1), 0);
  eq(await r.bitcount('b'), 1);
  eq(await r.bitpos('b', 1), 9);
  eq(await r.bitfield('b', 'INCRBY', 'u4', 0, 3, 'GET', 'u4', 0), [3, 3]);
  eq(await r.pfadd('p', ...numbers(500)), 1);
  check(Math.abs(await r.pfcount('p') - 500) < 15);
  eq(await r.geoadd('g', 13.361389, 38.115556, 'Palermo', 15.087269, 37.502669, 'Catania'), 2);
  eq(await r.geosearch('g', 'FROMLONLAT', 15, 37, 'BYRADIUS', 200, 'km', 'ASC', 'WITHDIST'),
     [['Catania', '56.4413'], ['Palermo', '190.4424']]);
});

test('values move between keys and servers', async (r) => {
  await r.rpush('l', ...numbers(200));
  await r.zadd('z', 1.5, 'a');
  for (const key of ['l', 'z']) {
    const payload = await r.dumpBuffer(key);
    eq(await r.restore(`${key}2`, 0, payload), 'OK');
    eq(await r.dumpBuffer(`${key}2`), payload);
  }
  eq(await r.lrange('l2', 0, -1), numbers(200));
});

test('transactions over types', async (r) => {
  eq(await r.multi().rpush('l', 1).sadd('l', 1).blpop('l', 0).blpop('l', 0).exec()
         .then((replies) => replies.map(([error, value]) => error?.message ?? value)),
     [1, kWrongType, ['l', '1'], null]);
});

test('keyspace events of types', async (r) => {
  await r.config('SET', 'notify-keyspace-events', 'KEA');
  const subscriber = connect();
  const got = [];
  subscriber.on('pmessage', (_, channel, message) => {
    got.push(`${channel.split(':')[1]} ${message}`);
  });
  await subscriber.psubscribe('__keyevent@0__:*');
  await r.multi().hset('h', 'f', 1).hdel('h', 'f').xadd('s', '*', 'a', 1).zadd('z', 1, 'a')
      .zrem('z', 'a').exec();
  await until(() => got.length === 7);
  eq(got, ['hset h', 'hdel h', 'del h', 'xadd s', 'zadd z', 'zrem z', 'del z']);
  await r.config('SET', 'notify-keyspace-events', '');
});

await h.run(
    async () => {
      const client = connect();
      await client.flushall();
      return client;
    },
    async () => {
      opened.forEach((client) => client.disconnect());
      opened = [];
    });
