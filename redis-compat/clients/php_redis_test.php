<?php
// Drives the server with php-redis. See README.md for the environment.
declare(strict_types=1);

const HOST = '127.0.0.1';
define('PORT', (int)getenv('SERVER_PORT'));
define('AUTH_PORT', (int)getenv('AUTH_PORT'));

$tests = [];

function test(string $name, callable $body): void
{
    global $tests;
    $tests[$name] = $body;
}

function connect(int $port = PORT): Redis
{
    $redis = new Redis();
    $redis->connect(HOST, $port, 5);
    return $redis;
}

function eq(mixed $actual, mixed $expected): void
{
    if ($actual !== $expected) {
        throw new Exception(json_encode($actual) . ' is not ' . json_encode($expected));
    }
}

function check(bool $holds): void
{
    if (!$holds) {
        throw new Exception('does not hold');
    }
}

// The library keeps a zero byte at the end.
function lastError(Redis $r): ?string
{
    $error = $r->getLastError();
    return $error === null ? null : rtrim($error, "\0");
}

// Runs PHP in a process of its own, for what blocks; the result is what it prints.
function inBackground(string $code): callable
{
    $code = '$r = new Redis(); $r->connect("' . HOST . '", ' . PORT . ', 5);' . $code;
    $process = proc_open([PHP_BINARY, '-r', $code], [1 => ['pipe', 'w']], $pipes);
    return function () use ($process, $pipes): string {
        $output = stream_get_contents($pipes[1]);
        proc_close($process);
        return $output;
    };
}

function waiting(Redis $r, int $clients = 1): void
{
    for ($i = 0; $i < 500; ++$i) {
        if ((int)$r->info('clients')['blocked_clients'] === $clients) {
            return;
        }
        usleep(10_000);
    }
    throw new Exception('nobody waits');
}

test('strings', function (Redis $r) {
    eq($r->set('k', 'v', ['nx', 'ex' => 100]), true);
    eq($r->set('k', 'w', ['nx']), false);
    eq($r->get('k'), 'v');
    eq($r->get('none'), false);
    eq($r->ttl('k') > 98, true);
    eq($r->incrBy('n', 5), 5);
    eq($r->incrByFloat('n', 0.5), 5.5);
    eq($r->mset(['a' => '1', 'b' => '2']), true);
    eq($r->mget(['a', 'none', 'b']), ['1', false, '2']);
    eq($r->append('a', str_repeat("\0\xff", 10)), 21);
    eq($r->getRange('a', 1, 2), "\0\xff");
    eq($r->exists('a', 'b', 'none'), 2);
    eq($r->del('a', 'b'), 2);
    eq($r->getLastError(), null);
    eq($r->incr('k'), false);
    eq(lastError($r), 'ERR value is not an integer or out of range');
});

test('serializers and prefixes', function () {
    $r = connect();
    $r->setOption(Redis::OPT_SERIALIZER, Redis::SERIALIZER_PHP);
    $r->setOption(Redis::OPT_PREFIX, 'app:');
    $r->set('value', ['deep' => [1, 2.5, null, true]]);
    eq($r->get('value'), ['deep' => [1, 2.5, null, true]]);
    eq(connect()->exists('app:value'), 1);
});

test('large values', function (Redis $r) {
    $value = random_bytes(4 << 20);
    eq($r->set('large', $value), true);
    check($r->get('large') === $value);
});

test('lists', function (Redis $r) {
    eq($r->rPush('l', 'a', 'b', 'c'), 3);
    eq($r->lPush('l', 'z'), 4);
    eq($r->lRange('l', 0, -1), ['z', 'a', 'b', 'c']);
    eq($r->lInsert('l', Redis::BEFORE, 'b', 'x'), 5);
    eq($r->lRem('l', 'x', 0), 1);
    eq($r->lPop('l'), 'z');
    eq($r->rawCommand('LMOVE', 'l', 'm', 'LEFT', 'RIGHT'), 'a');
    eq($r->lTrim('l', 0, 0), true);
    eq($r->lLen('l'), 1);
    eq($r->lGet('l', 9), false);
});

test('blocking pops', function (Redis $r) {
    $pop = inBackground('echo json_encode($r->blPop(["a", "b"], 10));');
    waiting($r);
    $r->rPush('b', 'x');
    eq($pop(), '["b","x"]');
    $pop = inBackground('echo json_encode($r->bzPopMax("z", 10));');
    waiting($r);
    $r->zAdd('z', 1, 'one', 2, 'two');
    eq($pop(), '["z","two","2"]');
    eq($r->blPop('none', 1), []);
});

test('hashes', function (Redis $r) {
    eq($r->hMSet('h', ['a' => 1, 'b' => 'two']), true);
    eq($r->hSet('h', 'c', 'three'), 1);
    eq($r->hGetAll('h'), ['a' => '1', 'b' => 'two', 'c' => 'three']);
    eq($r->hMGet('h', ['a', 'none']), ['a' => '1', 'none' => false]);
    eq($r->hIncrBy('h', 'a', 5), 6);
    eq($r->hDel('h', 'a', 'b', 'none'), 2);
    eq($r->hLen('h'), 1);
    eq($r->hKeys('h'), ['c']);
});

test('sets', function (Redis $r) {
    eq($r->sAdd('s', '1', '2', '3'), 3);
    eq($r->sIsMember('s', '2'), true);
    $r->sAdd('t', '3', '4');
    eq($r->sInter('s', 't'), ['3']);
    eq($r->sUnionStore('u', 's', 't'), 4);
    eq($r->sCard('u'), 4);
    eq($r->sPop('none'), false);
});

test('sorted sets', function (Redis $r) {
    eq($r->zAdd('z', 1, 'a', 2.5, 'b', '-inf', 'c'), 3);
    eq($r->zRange('z', 0, -1, true), ['c' => -INF, 'a' => 1.0, 'b' => 2.5]);
    eq($r->zRangeByScore('z', '(1', '+inf', ['withscores' => true, 'limit' => [0, 1]]), ['b' => 2.5]);
    eq($r->zIncrBy('z', 2, 'a'), 3.0);
    eq($r->zRevRank('z', 'a'), 0);
    eq($r->zPopMin('z'), ['c' => -INF]);
    eq($r->zScore('z', 'none'), false);
});

test('iterators', function (Redis $r) {
    $expected = [];
    for ($i = 0; $i < 2000; ++$i) {
        $expected["field:$i"] = "$i";
    }
    $r->hMSet('h', $expected);
    $seen = [];
    $cursor = null;
    while (($batch = $r->hScan('h', $cursor, '*', 100)) !== false) {
        $seen += $batch;
    }
    ksort($seen);
    ksort($expected);
    eq($seen, $expected);
    for ($i = 0; $i < 500; ++$i) {
        $r->set("key:$i", '1');
    }
    $r->setOption(Redis::OPT_SCAN, Redis::SCAN_RETRY);
    $keys = [];
    $cursor = null;
    while (($batch = $r->scan($cursor, 'key:*', 50)) !== false) {
        $keys = array_merge($keys, $batch);
    }
    eq(count(array_unique($keys)), 500);
});

test('streams', function (Redis $r) {
    $id = $r->xAdd('s', '*', ['a' => '1']);
    eq($r->xRange('s', '-', '+'), [$id => ['a' => '1']]);
    eq($r->xGroup('CREATE', 's', 'g', '0'), true);
    eq($r->xReadGroup('g', 'c', ['s' => '>'], 10), ['s' => [$id => ['a' => '1']]]);
    eq($r->xPending('s', 'g'), [1, $id, $id, [['c', '1']]]);
    eq($r->xAck('s', 'g', [$id]), 1);
    $read = inBackground('echo count($r->xRead(["s" => "$"], 1, 10000)["s"]);');
    waiting($r);
    $r->xAdd('s', '*', ['b' => '2']);
    eq($read(), '1');
});

test('bits, sketches, places', function (Redis $r) {
    eq($r->setBit('b', 5, true), 0);
    eq($r->bitCount('b'), 1);
    eq($r->pfAdd('p', ['a', 'b', 'c']), 1);
    eq($r->pfCount('p'), 3);
    eq($r->geoadd('g', 13.361389, 38.115556, 'Palermo', 15.087269, 37.502669, 'Catania'), 2);
    eq($r->geodist('g', 'Palermo', 'Catania', 'km'), 166.2742);
});

test('pipelines and transactions', function (Redis $r) {
    eq($r->pipeline()->set('n', '1')->incr('n')->lPush('n', 'x')->get('n')->exec(), [true, 2, false, '2']);
    eq($r->multi()->incr('n')->rPush('l', 'a')->blPop('l', 0)->exec(), [3, 1, ['l', 'a']]);
    $other = connect();
    $r->watch('n');
    $other->incr('n');
    eq($r->multi()->set('n', '0')->exec(), false);
    eq($r->get('n'), '4');
});

test('values that are dumped and restored', function (Redis $r) {
    $r->rPush('l', ...array_map('strval', range(1, 300)));
    $payload = $r->dump('l');
    eq($r->restore('copy', 0, $payload), true);
    eq($r->lRange('copy', 0, -1), $r->lRange('l', 0, -1));
    eq($r->restore('bad', 0, substr($payload, 0, -1)), false);
    eq(lastError($r), 'ERR DUMP payload version or checksum are wrong');
});

test('channels', function (Redis $r) {
    $subscriber = inBackground('try { $r->subscribe(["ch"], function ($r, $channel, $message) {
        echo $message; if ($message === "end") { $r->unsubscribe(["ch"]); $r->close(); } });
        } catch (RedisException $e) {}');
    for ($i = 0; $i < 500 && $r->publish('ch', '') === 0; ++$i) {
        usleep(10_000);
    }
    eq($r->publish('ch', 'one '), 1);
    eq($r->publish('ch', 'end'), 1);
    eq($subscriber(), 'one end');
});

test('persistent connections', function () {
    $first = new Redis();
    $first->pconnect(HOST, PORT, 5, 'shared');
    $id = $first->client('id');
    $first->close();
    $second = new Redis();
    $second->pconnect(HOST, PORT, 5, 'shared');
    eq($second->ping(), true);
    check($second->client('id') >= $id);
});

test('authentication', function () {
    $r = connect(AUTH_PORT);
    try {
        eq($r->get('k'), false);
        eq(lastError($r), 'NOAUTH Authentication required.');
    } catch (RedisException $error) {
        eq($error->getMessage(), 'NOAUTH Authentication required.');
    }
    eq($r->auth(getenv('AUTH_PASSWORD')), true);
    eq($r->set('k', 'v'), true);
});

test('comes back when it is cut off', function (Redis $r) {
    $r->setOption(Redis::OPT_MAX_RETRIES, 5);
    $other = connect();
    $r->set('k', 'v');
    $other->rawCommand('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    eq($r->get('k'), 'v');
});

test('sessions', function (Redis $r) {
    $code = 'ini_set("session.save_handler", "redis"); ini_set("session.use_cookies", "0");'
        . 'ini_set("session.cache_limiter", "");'
        . 'ini_set("session.save_path", "tcp://' . HOST . ':' . PORT . '?prefix=sess:");'
        . 'session_id("abc"); session_start(); $_SESSION["n"] = ($_SESSION["n"] ?? 0) + 1;'
        . 'echo $_SESSION["n"];';
    eq(inBackground($code)(), '1');
    eq(inBackground($code)(), '2');
    eq($r->exists('sess:abc'), 1);
    check($r->ttl('sess:abc') > 0);
});

$passed = 0;
$failed = 0;
foreach ($tests as $name => $body) {
    try {
        $redis = connect();
        $redis->flushAll();
        $body($redis);
        ++$passed;
    } catch (Throwable $error) {
        ++$failed;
        echo "FAILED $name\n{$error->getMessage()} in line {$error->getLine()}\n{$error->getTraceAsString()}\n";
    }
}
echo "$passed passed, $failed failed\n";
exit($failed > 0 ? 1 : 0);
