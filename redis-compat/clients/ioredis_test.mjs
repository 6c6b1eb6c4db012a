// Drives the server with ioredis, which speaks RESP2.
import net from 'node:net';
import Redis from 'ioredis';
import * as h from './harness.mjs';

const {test, eq, check, rejects, until, sleep} = h;

// Connections that a test opens are closed after it.
let opened = [];

function connect(options = {}) {
  const client = new Redis({host: h.host, port: h.port, ...options});
  client.on('error', () => {});  // Tests that break a connection look at what comes of it.
  opened.push(client);
  return client;
}

test('strings', async (r) => {
  eq(await r.set('k', 'v'), 'OK');
  eq(await r.get('k'), 'v');
  eq(await r.get('none'), null);
  eq(await r.set('k', 'w', 'NX'), null);
  eq(await r.set('k', 'w', 'EX', 100, 'XX', 'GET'), 'v');
  eq(await r.append('k', 'xyz'), 4);
  eq(await r.getrange('k', 1, -2), 'xy');
  eq(await r.setrange('k', 1, 'ABC'), 4);
  eq(await r.getdel('k'), 'wABC');
  eq(await r.incrbyfloat('f', '10.5'), '10.5');
  eq(await r.mset({a: 1, b: 2}), 'OK');
  eq(await r.mget('a', 'b', 'c'), ['1', '2', null]);
  eq(await r.lcs('a', 'b', 'LEN'), 0);
});

test('binary safe', async (r) => {
  const everyByte = Buffer.from(Array.from({length: 256}, (_, i) => i));
  await r.set(everyByte, everyByte);
  eq(await r.getBuffer(everyByte), everyByte);
  eq(await r.keysBuffer('*'), [everyByte]);
  await r.set('', '');
  eq(await r.get(''), '');
});

test('large values', async (r) => {
  for (const megabytes of [1, 8]) {
    const value = h.randomBytes(megabytes << 20);
    eq(await r.set('large', value), 'OK');
    check(value.equals(await r.getBuffer('large')), 'came back changed');
  }
  // Pipelined, so that replies pile up.
  const pipeline = r.pipeline();
  for (let i = 0; i < 10; ++i) pipeline.strlen('large').getBuffer('large');
  const replies = await pipeline.exec();
  eq(replies.map(([error, value]) => [error, value.length ?? value]),
     Array.from({length: 20}, () => [null, 8 << 20]));
});

test('commands in flight keep their order', async (r) => {
  const replies = await Promise.all(
      Array.from({length: 20_000}, (_, i) => (i % 2 ? r.get('n') : r.incr('n'))));
  eq(replies, Array.from({length: 20_000}, (_, i) => (i % 2 ? String((i + 1) / 2) : i / 2 + 1)));
});

test('automatic pipelining', async () => {
  const r = connect({enableAutoPipelining: true});
  await Promise.all(Array.from({length: 1000}, (_, i) => r.set(`k${i}`, i)));
  eq(await Promise.all(Array.from({length: 1000}, (_, i) => r.get(`k${i}`))),
     Array.from({length: 1000}, (_, i) => String(i)));
});

test('pipelines report each error', async (r) => {
  const replies = await r.pipeline().set('word', 'abc').incr('word').get('word').exec();
  eq(replies.map(([error, value]) => error?.message ?? value),
     ['OK', 'ERR value is not an integer or out of range', 'abc']);
});

test('transactions', async (r) => {
  eq(await r.multi().set('a', 1).incr('a').get('a').exec(), [[null, 'OK'], [null, 2], [null, '2']]);
  const replies = await r.multi().set('word', 'abc').incr('word').exec();
  eq(replies.map(([error, value]) => error?.message ?? value),
     ['OK', 'ERR value is not an integer or out of range']);
  await rejects(r.multi().set('never', 1).call('NOSUCH').exec(),
                'EXECABORT Transaction discarded because of previous errors.');
  eq(await r.exists('never'), 0);
  await r.multi({pipeline: false});
  eq(await r.set('queued', 1), 'QUEUED');
  eq(await r.discard(), 'OK');
  eq(await r.exists('queued'), 0);
  await rejects(r.exec(), 'ERR EXEC without MULTI');
});

test('watch loops lose no update', async (r) => {
  await r.set('n', 0);
  const add = async (client) => {
    for (let done = 0; done < 30;) {
      await client.watch('n');
      const n = Number(await client.get('n'));
      if (await client.multi().set('n', n + 1).exec()) ++done;
    }
  };
  await Promise.all(Array.from({length: 6}, () => add(connect())));
  eq(await r.get('n'), '180');
});

test('many connections', async (r) => {
  const clients = Array.from({length: 100}, () => connect());
  await Promise.all(clients.map(async (client) => {
    for (let i = 0; i < 50; ++i) await client.incr('total');
  }));
  eq(await r.get('total'), '5000');
});

test('expiry', async (r) => {
  const now = Math.floor(Date.now() / 1000);
  await r.set('k', 'v', 'PX', 60_000);
  check(await r.pttl('k') > 59_000);
  eq(await r.expire('k', 10, 'GT'), 0);
  eq(await r.expireat('k', now + 500), 1);
  eq(await r.expiretime('k'), now + 500);
  eq(await r.persist('k'), 1);
  eq(await r.ttl('k'), -1);
  eq(await r.pexpire('k', 30), 1);
  await until(async () => await r.get('k') === null);
});

test('scan streams', async (r) => {
  const keys = Array.from({length: 2000}, (_, i) => `s:${i}`);
  await r.mset(Object.fromEntries(keys.map((key) => [key, 1])));
  await r.set('other', 1);
  const seen = new Set();
  for await (const batch of r.scanStream({match: 's:*', count: 100})) batch.forEach((k) => seen.add(k));
  eq([...seen].sort(), keys.sort());
});

test('channels and patterns', async (r) => {
  const subscriber = connect();
  const got = [];
  subscriber.on('message', (channel, message) => got.push([channel, message]));
  subscriber.on('pmessage', (pattern, channel, message) => got.push([pattern, channel, message]));
  eq(await subscriber.subscribe('news', 'weather'), 2);
  eq(await subscriber.psubscribe('n?ws'), 3);
  eq(await r.publish('news', 'hello'), 2);
  await until(() => got.length === 2);
  eq(got, [['news', 'hello'], ['n?ws', 'news', 'hello']]);
  eq(await r.pubsub('NUMSUB', 'news', 'none'), ['news', 1, 'none', 0]);
  eq(await subscriber.unsubscribe('news', 'weather'), 1);
  eq(await subscriber.punsubscribe('n?ws'), 0);
  eq(await subscriber.get('usable again'), null);
});

test('sharded channels', async (r) => {
  const subscriber = connect();
  const got = [];
  subscriber.on('smessage', (channel, message) => got.push([channel, message]));
  eq(await subscriber.ssubscribe('orders'), 1);
  eq(await r.spublish('orders', 'one'), 1);
  eq(await r.publish('orders', 'not sharded'), 0);
  eq(await r.spublish('orders', 'two'), 1);
  await until(() => got.length === 2);
  eq(got, [['orders', 'one'], ['orders', 'two']]);
  eq(await r.pubsub('SHARDCHANNELS'), ['orders']);
  eq(await subscriber.sunsubscribe('orders'), 0);
});

test('subscriptions survive CLIENT KILL', async (r) => {
  const subscriber = connect({connectionName: 'listener', retryStrategy: () => 20});
  const got = [];
  subscriber.on('message', (channel, message) => got.push(message));
  await subscriber.subscribe('ch');
  const id = /id=(\d+) .*name=listener/.exec(await r.client('LIST'))[1];
  eq(await r.client('KILL', 'ID', id), 1);
  await until(async () => await r.publish('ch', 'again') === 1);
  await until(() => got.length > 0);
  eq(got[0], 'again');
});

test('keyspace notifications', async (r) => {
  eq(await r.config('SET', 'notify-keyspace-events', 'Ex'), 'OK');
  const subscriber = connect();
  const got = [];
  subscriber.on('message', (channel, message) => got.push([channel, message]));
  await subscriber.subscribe('__keyevent@0__:expired');
  await r.set('session', 'x', 'PX', 30);
  await until(() => got.length > 0);
  eq(got, [['__keyevent@0__:expired', 'session']]);
  await r.config('SET', 'notify-keyspace-events', '');
});

test('monitor', async (r) => {
  const monitor = await connect().monitor();
  const got = [];
  monitor.on('monitor', (time, args, source, database) => got.push([args, database]));
  await r.set('seen', 'a b');
  await until(() => got.length > 0);
  eq(got[0], [['set', 'seen', 'a b'], '0']);
  monitor.disconnect();
});

test('authentication', async () => {
  const client = connect({port: h.authPort, password: h.password, db: 2, connectionName: 'me'});
  eq(await client.ping(), 'PONG');
  eq(await client.client('GETNAME'), 'me');
  const refused = connect({port: h.authPort, retryStrategy: null, enableReadyCheck: false});
  await rejects(refused.get('k'), 'NOAUTH Authentication required.');
  await rejects(refused.auth('wrong'),
                'WRONGPASS invalid username-password pair or user is disabled.');
  eq(await refused.auth('default', h.password), 'OK');
  eq(await refused.get('k'), null);
});

test('unix socket', async (r) => {
  const local = connect({path: h.unixSocket});
  eq(await local.set('over', 'unix'), 'OK');
  eq(await r.get('over'), 'unix');
});

test('the handshake tells the library', async (r) => {
  const info = await r.client('INFO');
  if (h.isLarder) check(/lib-name=ioredis\S* lib-ver=5\./.test(info), info);
  check(/ resp=2/.test(info), info);
});

test('errors', async (r) => {
  await r.set('word', 'abc');
  const error = await rejects(r.incr('word'), 'ERR value is not an integer or out of range');
  eq([error.name, error.command.name], ['ReplyError', 'incr']);
  await rejects(r.call('GET'), "ERR wrong number of arguments for 'get' command");
  await rejects(r.call('NOSUCH', 'a'),
                "ERR unknown command 'NOSUCH', with args beginning with: 'a' ");
  await rejects(r.set('k', 'v', 'EX', 'soon'), 'ERR value is not an integer or out of range');
  await rejects(r.select(99), 'ERR DB index is out of range');
});

test('inline commands, byte by byte', async () => {
  const socket = net.connect(h.port, h.host);
  let got = '';
  socket.on('data', (bytes) => (got += bytes));
  for (const byte of 'SET inline "a b"\r\nget inline\r\n') {
    socket.write(byte);
    await sleep(0);
  }
  await until(() => got.length >= 14);
  eq(got, '+OK\r\n$3\r\na b\r\n');
  socket.destroy();
});

test('reconnects after a restart', async (r) => {
  await r.set('k', 'before');
  const other = connect({retryStrategy: () => 20, maxRetriesPerRequest: null});
  await other.ping();
  const closed = new Promise((done) => other.once('close', done));
  r.shutdown('NOSAVE').catch(() => {});
  await closed;
  // Asked while there is no server: waits for the next one.
  eq(await other.get('k'), null);
  eq(await other.set('k', 'after'), 'OK');
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
