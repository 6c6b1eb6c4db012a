// Drives the server's data types with node-redis, in RESP3 and RESP2.
import {createClient, createClientPool, RESP_TYPES} from 'redis';
import * as h from './harness.mjs';

const {test, eq, check, rejects, until} = h;

const kWrongType = 'WRONGTYPE Operation against a key holding the wrong kind of value';

let opened = [];

async function connect(options = {}) {
  const client = createClient({RESP: 3, ...options, socket: {host: h.host, port: h.port}});
  client.on('error', () => {});
  opened.push(client);
  return client.connect();
}

// Each of these is told twice, once a protocol version.
function testBoth(name, body) {
  for (const RESP of [2, 3]) {
    test(`${name} (RESP${RESP})`, async () => body(await connect({RESP}), RESP));
  }
}

async function blocked(r, clients) {
  await until(async () => (await r.info('clients')).includes(`blocked_clients:${clients}\r\n`));
}

const numbers = (count) => Array.from({length: count}, (_, i) => String(i));
const plain = (object) => ({...object});  // Hashes come without a prototype.

testBoth('lists', async (r) => {
  eq(await r.rPush('l', ['a', 'b', 'c']), 3);
  eq(await r.lRange('l', 0, -1), ['a', 'b', 'c']);
  eq(await r.lPos('l', 'c'), 2);
  eq(await r.lInsert('l', 'BEFORE', 'c', 'x'), 4);
  eq(await r.lPopCount('l', 2), ['a', 'b']);
  eq(await r.lMove('l', 'm', 'LEFT', 'RIGHT'), 'x');
  eq(await r.lmPop(['none', 'l'], 'LEFT', {COUNT: 3}), ['l', ['c']]);
  eq(await r.lPop('l'), null);
  eq(await r.lmPop('none', 'LEFT'), null);
  eq(await r.lPopCount('none', 3), null);
});

testBoth('blocking pops', async (r, RESP) => {
  const clients = await Promise.all(Array.from({length: 5}, () => connect({RESP})));
  const pops = clients.map((client) => client.blPop(['a', 'b'], 10));
  await blocked(r, 5);
  await r.rPush('b', numbers(5));
  eq((await Promise.all(pops)).map(({element}) => element).sort(), numbers(5));
  const least = clients[0].bzPopMin('z', 10);
  const several = clients[1].bzmPop(10, ['y'], 'MAX', {COUNT: 2});
  const moved = clients[2].blMove('from', 'to', 'LEFT', 'RIGHT', 10);
  const popped = clients[3].blmPop(10, ['w', 'x'], 'RIGHT', {COUNT: 2});
  await blocked(r, 4);
  await r.zAdd('z', [{score: 2.5, value: 'b'}, {score: 1, value: 'a'}]);
  await r.zAdd('y', [{score: 1, value: 'a'}, {score: Infinity, value: 'b'}]);
  await r.rPush('from', 'v');
  await r.rPush('x', ['1', '2', '3']);
  eq(await least, {key: 'z', value: 'a', score: 1});
  eq(await several, {key: 'y', members: [{value: 'b', score: Infinity}, {value: 'a', score: 1}]});
  eq(await moved, 'v');
  eq(await popped, ['x', ['3', '2']]);
  eq(await clients[4].blPop('none', 0.05), null);
  eq(await clients[4].bzPopMax('none', 0.05), null);
});

testBoth('pools block without blocking others', async (r, RESP) => {
  const pool = createClientPool({RESP, socket: {host: h.host, port: h.port}}, {maximum: 8});
  pool.on('error', () => {});
  await pool.connect();
  const pops = Array.from({length: 6}, () => pool.blPop('l', 10));
  await blocked(r, 6);
  eq(await pool.set('k', 'v'), 'OK');
  await pool.rPush('l', numbers(6));
  eq((await Promise.all(pops)).map(({element}) => element).sort(), numbers(6));
  pool.destroy();
});

testBoth('hashes', async (r) => {
  eq(await r.hSet('h', {a: '1', b: 'two'}), 2);
  eq(plain(await r.hGetAll('h')), {a: '1', b: 'two'});
  eq(await r.hmGet('h', ['a', 'none']), ['1', null]);
  eq(await r.hIncrBy('h', 'a', 5), 6);
  eq(await r.hIncrByFloat('h', 'a', 0.25), '6.25');
  eq((await r.hKeys('h')).sort(), ['a', 'b']);
  eq(await r.hRandFieldCountWithValues('h', 1).then((found) => found.length), 1);
  eq(await r.hDel('h', ['a', 'b']), 2);
  eq(plain(await r.hGetAll('h')), {});
  await rejects(r.set('k', 'v').then(() => r.hGet('k', 'f')), kWrongType);
});

testBoth('sets', async (r, RESP) => {
  eq(await r.sAdd('s', ['1', '2', '3']), 3);
  eq((await r.sMembers('s')).sort(), ['1', '2', '3']);
  if (RESP === 3) {
    const asSet = r.withTypeMapping({[RESP_TYPES.SET]: Set});
    eq(await asSet.sMembers('s'), new Set(['1', '2', '3']));
  }
  eq(await r.sIsMember('s', '2'), 1);
  eq(await r.smIsMember('s', ['2', '9']), [1, 0]);
  await r.sAdd('t', ['3', '4']);
  eq(await r.sInter(['s', 't']), ['3']);
  eq(await r.sUnionStore('u', ['s', 't']), 4);
  eq((await r.sPopCount('u', 9)).sort(), ['1', '2', '3', '4']);
  eq(await r.sRandMember('none'), null);
});

testBoth('sorted sets', async (r) => {
  eq(await r.zAdd('z', [{score: 1, value: 'a'}, {score: -Infinity, value: 'b'},
                        {score: 0.5, value: 'c'}]), 3);
  eq(await r.zRangeWithScores('z', 0, -1),
     [{value: 'b', score: -Infinity}, {value: 'c', score: 0.5}, {value: 'a', score: 1}]);
  eq(await r.zScore('z', 'c'), 0.5);
  eq(await r.zScore('z', 'none'), null);
  eq(await r.zmScore('z', ['a', 'none']), [1, null]);
  eq(await r.zIncrBy('z', 1.5, 'a'), 2.5);
  eq(await r.zRank('z', 'a'), 2);
  eq(await r.zRange('z', '-inf', '(2.5', {BY: 'SCORE'}), ['b', 'c']);
  eq(await r.zUnionWithScores(['z', 'z']),
     [{value: 'b', score: -Infinity}, {value: 'c', score: 1}, {value: 'a', score: 5}]);
  eq(await r.zPopMin('z'), {value: 'b', score: -Infinity});
  eq(await r.zPopMaxCount('z', 5), [{value: 'a', score: 2.5}, {value: 'c', score: 0.5}]);
  eq(await r.zPopMin('z'), null);
  eq(await r.zRandMemberCountWithScores('none', 3), []);
});

testBoth('iterators over collections', async (r) => {
  const names = numbers(1500).map((n) => `member:${n}`);
  await r.sAdd('s', names);
  await r.hSet('h', Object.fromEntries(names.map((name) => [name, 'v'])));
  await r.zAdd('z', names.map((value, score) => ({value, score})));
  for (const [iterator, name] of [[r.sScanIterator('s'), (x) => x],
                                  [r.hScanIterator('h', {COUNT: 50}), ({field}) => field],
                                  [r.zScanIterator('z', {MATCH: 'm*'}), ({value}) => value]]) {
    const seen = new Set();
    for await (const batch of iterator) batch.forEach((one) => seen.add(name(one)));
    eq([...seen].sort(), [...names].sort());
  }
});

testBoth('streams', async (r) => {
  const id = await r.xAdd('s', '*', {a: '1', b: '2'});
  eq((await r.xRange('s', '-', '+')).map((entry) => [entry.id, plain(entry.message)]),
     [[id, {a: '1', b: '2'}]]);
  eq(await r.xGroupCreate('s', 'g', '0'), 'OK');
  const read = await r.sendCommand(['XREADGROUP', 'GROUP', 'g', 'ann', 'STREAMS', 's', '>']);
  check(JSON.stringify(read).includes(id));
  const pending = await r.xPending('s', 'g');
  eq([pending.pending, pending.firstId, pending.consumers.map(plain)],
     [1, id, [{name: 'ann', deliveriesCounter: 1}]]);
  eq(await r.xAutoClaimJustId('s', 'g', 'bob', 0, '0').then(({messages}) => messages), [id]);
  eq(await r.xAck('s', 'g', id), 1);
  const [info] = await r.xInfoGroups('s');
  eq([info.name, info.consumers, info.pending, info['entries-read'], info.lag], ['g', 2, 0, 1, 0]);
  const stream = await r.xInfoStream('s');
  eq([stream.length, stream['first-entry'].id], [1, id]);
  const next = await r.xAdd('s', '*', {c: '3'}, {TRIM: {strategy: 'MAXLEN', threshold: 1}});
  eq((await r.xRange('s', '-', '+')).map((entry) => entry.id), [next]);
});

// Reading with several streams is something that this library does in RESP2 only.
test('reading streams', async () => {
  const [r, waiter] = [await connect({RESP: 2}), await connect({RESP: 2})];
  const id = await r.xAdd('s', '*', {a: '1'});
  const [read] = await r.xRead({key: 's', id: '0'});
  eq([read.name, read.messages[0].id], ['s', id]);
  eq(await r.xRead({key: 's', id: '$'}), null);
  const waits = waiter.xRead([{key: 's', id: '$'}, {key: 't', id: '$'}], {BLOCK: 10_000});
  await blocked(r, 1);
  const next = await r.xAdd('s', '*', {c: '3'});
  eq((await waits)[0].messages[0].id, next);
  await r.xGroupCreate('s', 'g', '0');
  eq(await waiter.xReadGroup('g', 'bob', {key: 's', id: '>'}, {BLOCK: 50, COUNT: 1})
         .then(([{messages}]) => messages.map((entry) => entry.id)), [id]);
  eq(await waiter.xReadGroup('g', 'bob', {key: 's', id: '>'}, {BLOCK: 50})
         .then(([{messages}]) => messages.map((entry) => entry.id)), [next]);
  eq(await waiter.xReadGroup('g', 'bob', {key: 's', id: '>'}, {BLOCK: 50}), null);
});

testBoth('bits, sketches, places', async (r) => {
  eq(await r.setBit('b', 3, 1), 0);
  eq(await r.bitCount('b'), 1);
  eq(await r.bitPos('b', 0), 0);
  eq(await r.bitField('b', [{operation: 'GET', encoding: 'u8', offset: 0}]), [16]);
  eq(await r.pfAdd('p', numbers(300)), 1);
  check(Math.abs(await r.pfCount('p') - 300) < 10);
  eq(await r.pfMerge('q', ['p']), 'OK');
  eq(await r.geoAdd('g', [{longitude: 13.361389, latitude: 38.115556, member: 'Palermo'},
                          {longitude: 15.087269, latitude: 37.502669, member: 'Catania'}]), 2);
  eq(await r.geoDist('g', 'Palermo', 'Catania', 'km'), 166.2742);
  eq(await r.geoSearch('g', {longitude: 15, latitude: 37}, {radius: 200, unit: 'km'},
                       {SORT: 'ASC'}), ['Catania', 'Palermo']);
  eq(await r.geoSearchWith('g', 'Palermo', {width: 1, height: 1, unit: 'km'}, ['WITHDIST'])
         .then((found) => found.map(plain)), [{member: 'Palermo', distance: '0.0000'}]);
  eq(await r.geoPos('g', ['none']), [null]);
});

testBoth('values that are dumped and restored', async (r) => {
  const bytes = r.withTypeMapping({[RESP_TYPES.BLOB_STRING]: Buffer});
  await r.hSet('h', {a: '1', b: 'two'});
  await r.sAdd('s', numbers(1000));
  for (const key of ['h', 's']) {
    const payload = await bytes.dump(key);
    eq(await r.restore('copy', 0, payload, {REPLACE: true}), 'OK');
    eq(await r.type('copy'), await r.type(key));
    eq(await bytes.dump('copy').then((copy) => copy.length), payload.length);
  }
  eq((await r.sMembers('copy')).length, 1000);
});

testBoth('sorting and copying', async (r) => {
  await r.rPush('l', ['3', '1', '2']);
  eq(await r.sort('l', {DIRECTION: 'DESC'}), ['3', '2', '1']);
  eq(await r.sortRo('l', {LIMIT: {offset: 0, count: 1}}), ['1']);
  eq(await r.sortStore('l', 'm'), 3);
  eq(await r.copy('m', 'n'), 1);
  eq(await r.objectEncoding('n'), 'quicklist');
});

testBoth('transactions over types', async (r) => {
  eq(await r.multi().rPush('l', '1').blPop('l', 0).blPop('l', 0).zAdd('z', {score: 1, value: 'a'})
         .zScore('z', 'a').exec(),
     [1, {key: 'l', element: '1'}, null, 1, 1]);
});

test('a client-side cache of collections', async () => {
  const {BasicClientSideCache} = await import('redis');
  const writer = await connect();
  const reader = await connect({clientSideCache: new BasicClientSideCache()});
  await writer.hSet('h', 'f', '1');
  eq(await reader.hGet('h', 'f'), '1');
  await writer.hSet('h', 'f', '2');
  await until(async () => await reader.hGet('h', 'f') === '2');
  await writer.rPush('l', ['a', 'b']);
  eq(await reader.lRange('l', 0, -1), ['a', 'b']);
  await writer.lPop('l');
  await until(async () => (await reader.lRange('l', 0, -1)).length === 1);
});

if (h.isLarder) {
  // What came after Redis 7.0, as this library sends it.
  testBoth('newer commands', async (r) => {
    await r.hSet('h', {a: '1', b: '2', c: '3'});
    eq(await r.hExpire('h', ['a', 'none'], 100), [1, -2]);
    eq(await r.hTTL('h', ['a', 'b']), [100, -1]);
    eq(await r.hPersist('h', 'a'), [1]);
    eq(await r.hpExpire('h', 'a', 30), [1]);
    await until(async () => await r.hLen('h') === 2);
    eq(await r.hSetEx('h', {d: '4'}, {expiration: {type: 'EX', value: 100}, mode: 'FNX'}), 1);
    eq(await r.hGetEx('h', 'd', {expiration: 'PERSIST'}), ['4']);
    eq(await r.hGetDel('h', ['b', 'c', 'd']), ['2', '3', '4']);
    eq(await r.exists('h'), 0);
    const id = await r.xAdd('s', '*', {a: '1'});
    await r.xGroupCreate('s', 'g', '0');
    await r.xReadGroup('g', 'c', {key: 's', id: '>'});
    eq(await r.xAckDel('s', 'g', id), [1]);
    eq(await r.xLen('s'), 0);
  });
}

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
