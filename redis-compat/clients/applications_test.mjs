// JavaScript applications that live on Redis: sessions over HTTP (connect-redis) and Socket.IO servers
// that act as one.
import {once} from 'node:events';
import http from 'node:http';
import {createAdapter} from '@socket.io/redis-adapter';
import {createAdapter as createStreamsAdapter} from '@socket.io/redis-streams-adapter';
import {RedisStore} from 'connect-redis';
import session from 'express-session';
import Redis from 'ioredis';
import {createClient} from 'redis';
import {Server} from 'socket.io';
import {io} from 'socket.io-client';
import * as h from './harness.mjs';

const {test, eq, check, until} = h;

let closers = [];

async function connect() {
  const client = createClient({socket: {host: h.host, port: h.port}});
  client.on('error', () => {});
  closers.push(() => client.destroy());
  return client.connect();
}

function connectIoRedis() {
  const client = new Redis({host: h.host, port: h.port});
  client.on('error', () => {});
  closers.push(() => client.disconnect());
  return client;
}

async function listen(server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}`;
}

// ---------------------------------------------------------------- connect-redis

async function serveSessions(client, options = {}) {
  const store = new RedisStore({client, prefix: 'sess:', ...options});
  const handle = session({store, secret: 'x', resave: false, saveUninitialized: false,
                          cookie: {maxAge: 60_000}});
  const url = await listen(http.createServer((request, response) => {
    handle(request, response, () => {
      if (request.url === '/leave') return request.session.destroy(() => response.end('gone'));
      request.session.views = (request.session.views ?? 0) + 1;
      response.end(String(request.session.views));
    });
  }));
  return {store, url};
}

test('sessions are kept', async () => {
  const client = await connect();
  const {store, url} = await serveSessions(client);
  const first = await fetch(url);
  eq(await first.text(), '1');
  const headers = {cookie: first.headers.get('set-cookie').split(';')[0]};
  eq(await (await fetch(url, {headers})).text(), '2');
  eq(await (await fetch(url, {headers})).text(), '3');
  eq(await (await fetch(url)).text(), '1');
  eq(await store.length(), 2);
  const [key] = await client.keys('sess:*');
  check(await client.ttl(key) > 50);
  eq(await (await fetch(`${url}/leave`, {headers})).text(), 'gone');
  eq(await store.length(), 1);
  eq(await (await fetch(url, {headers})).text(), '1');
});

test('sessions are listed and cleared', async () => {
  const {store} = await serveSessions(await connect(), {scanCount: 10});
  for (let i = 0; i < 100; ++i) await store.set(`id${i}`, {cookie: {}, user: i});
  eq((await store.ids()).length, 100);
  eq((await store.all()).map(({user}) => user).sort((a, b) => a - b)[99], 99);
  await store.touch('id5', {cookie: {expires: new Date(Date.now() + 5000)}});
  check(await store.client.ttl('sess:id5') <= 5);
  await store.clear();
  eq(await store.length(), 0);
});

// ---------------------------------------------------------------- Socket.IO

async function servers(count, makeAdapter) {
  const made = [];
  for (let i = 0; i < count; ++i) {
    const web = http.createServer();
    const server = new Server(web, {adapter: await makeAdapter()});
    const url = await listen(web);
    closers.push(() => server.close());
    made.push({server, url});
  }
  return made;
}

async function join(url) {
  const socket = io(url, {transports: ['websocket']});
  closers.push(() => socket.disconnect());
  await once(socket, 'connect');
  socket.got = [];
  socket.on('news', (message) => socket.got.push(message));
  return socket;
}

async function actAsOne(nodes) {
  const sockets = await Promise.all(nodes.map(({url}) => join(url)));
  const [{server}] = nodes;
  await until(async () => (await server.fetchSockets()).length === nodes.length);
  server.emit('news', 'all');
  await until(() => sockets.every(({got}) => got.length === 1));
  // A socket of another server is moved into a room, and only the room hears it.
  server.in(sockets[1].id).socketsJoin('room');
  await until(async () => (await server.in('room').fetchSockets()).length === 1);
  server.to('room').emit('news', 'room');
  await until(() => sockets[1].got.length === 2);
  nodes[1].server.on('question', (answer) => answer('forty-two'));
  if (nodes.length === 2) eq(await server.serverSideEmitWithAck('question'), ['forty-two']);
  nodes[1].server.except('room').emit('news', 'others');
  await until(() => sockets.every(({got}, i) => got.at(-1) === (i === 1 ? 'room' : 'others')));
  eq(sockets.map(({got}) => got),
     sockets.map((_, i) => (i === 1 ? ['all', 'room'] : ['all', 'others'])));
  server.disconnectSockets();
  await until(() => sockets.every(({connected}) => !connected));
}

test('Socket.IO over channels, with node-redis', async () => {
  await actAsOne(await servers(2, async () => createAdapter(await connect(), await connect())));
});

test('Socket.IO over channels, with ioredis', async () => {
  await actAsOne(await servers(3, async () => createAdapter(connectIoRedis(), connectIoRedis())));
});

test('Socket.IO over streams', async (r) => {
  await actAsOne(await servers(2, async () => createStreamsAdapter(await connect())));
  check((await r.keys('socket.io*')).length > 0);
});

await h.run(
    async () => {
      const client = await connect();
      await client.flushAll();
      return client;
    },
    async () => {
      for (const close of closers.reverse()) {
        try {
          close();
        } catch {
          // Closed by the test.
        }
      }
      closers = [];
    });
