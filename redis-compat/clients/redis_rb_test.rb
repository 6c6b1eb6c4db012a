# Drives the server with ruby-redis. See README.md for the environment.
require "redis"
require "timeout"

HOST = "127.0.0.1".freeze
PORT = Integer(ENV.fetch("SERVER_PORT"))
AUTH_PORT = Integer(ENV.fetch("AUTH_PORT"))
TEST_SECONDS = 30
WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value".freeze
Redis.silence_deprecations = true if Redis.respond_to?(:silence_deprecations=)

@tests = {}

def test(name, &body)
  @tests[name] = body
end

def connect(**options)
  Redis.new(host: HOST, port: PORT, **options)
end

def eq(actual, expected)
  raise "#{actual.inspect[0, 300]} is not #{expected.inspect[0, 300]}" unless actual == expected
end

def raises(text)
  yield
rescue Redis::BaseError => e
  eq(e.message, text)
else
  raise "no error instead of #{text}"
end

def wait_until
  sleep 0.01 until (result = yield)
  result
end

def waiting(r, clients = 1)
  wait_until { r.info("clients")["blocked_clients"] == clients.to_s }
end

test "strings" do |r|
  eq r.set("k", "v", ex: 100, nx: true), true
  eq r.set("k", "w", nx: true), false
  eq r.get("k"), "v"
  eq r.ttl("k") > 98, true
  eq r.incrby("n", 5), 5
  eq r.incrbyfloat("n", 0.5), 5.5
  eq r.mapped_mset("a" => "1", "b" => "2"), "OK"
  eq r.mapped_mget("a", "none"), "a" => "1", "none" => nil
  eq r.getdel("a"), "1"
  eq r.set("binary", "\0\xff\r\n".b), "OK"
  eq r.get("binary").b, "\0\xff\r\n".b
  raises("ERR value is not an integer or out of range") { r.incr("k") }
end

test "lists" do |r|
  eq r.rpush("l", %w[a b c]), 3
  eq r.lrange("l", 0, -1), %w[a b c]
  eq r.linsert("l", "before", "b", "x"), 4
  eq r.lmove("l", "m", "LEFT", "RIGHT"), "a"
  eq r.lpop("l", 2), %w[x b]
  eq r.rpoplpush("l", "m"), "c"
  eq r.exists?("l"), false
  raises(WRONG_TYPE) { r.sadd("m", 1) }
end

test "blocking pops" do |r|
  threads = Array.new(4) { Thread.new { connect.blpop("a", "b", timeout: 10) } }
  waiting(r, 4)
  r.rpush("b", [1, 2, 3, 4])
  eq threads.map(&:value).sort, [%w[b 1], %w[b 2], %w[b 3], %w[b 4]]
  least = Thread.new { connect.bzpopmin("z", timeout: 10) }
  moved = Thread.new { connect.blmove("from", "to", "LEFT", "LEFT", timeout: 10) }
  waiting(r, 2)
  r.multi do |t|
    t.zadd("z", [[2, "b"], [1, "a"]])
    t.rpush("from", "x")
  end
  eq least.value, ["z", "a", 1.0]
  eq moved.value, "x"
  eq r.brpop("none", timeout: 0.1), nil
end

test "hashes" do |r|
  eq r.hset("h", "a" => 1, "b" => "two"), 2
  eq r.hgetall("h"), "a" => "1", "b" => "two"
  eq r.mapped_hmget("h", "a", "none"), "a" => "1", "none" => nil
  eq r.hincrby("h", "a", 5), 6
  eq r.hdel("h", %w[a none]), 1
  eq r.hrandfield("h", 1, with_values: true), [%w[b two]]
  r.mapped_hmset("large", (0...3000).to_h { |i| ["field:#{i}", i] })
  eq r.hscan_each("large", count: 100).to_h.size, 3000
end

test "sets" do |r|
  eq r.sadd("s", [1, 2, 3]), 3
  eq r.sadd?("s", 1), false
  eq r.smismember("s", 1, 9), [true, false]
  r.sadd("t", [3, 4])
  eq r.sinter("s", "t"), ["3"]
  eq r.sdiffstore("u", "s", "t"), 2
  eq r.spop("u", 5).sort, %w[1 2]
  eq r.sscan_each("s").to_a.sort, %w[1 2 3]
end

test "sorted sets" do |r|
  eq r.zadd("z", [[1, "a"], ["-inf", "b"], [2.5, "c"]]), 3
  eq r.zrange("z", 0, -1, with_scores: true), [["b", -Float::INFINITY], ["a", 1.0], ["c", 2.5]]
  eq r.zadd("z", 5, "a", incr: true), 6.0
  eq r.zrangebyscore("z", "(2.5", "+inf", limit: [0, 1]), ["a"]
  eq r.zunionstore("out", %w[z z], weights: [1, 2], aggregate: "max"), 3
  eq r.zscore("out", "c"), 5.0
  eq r.zpopmax("z", 2), [["a", 6.0], ["c", 2.5]]
  eq r.zrevrank("none", "a"), nil
end

test "streams" do |r|
  ids = Array.new(5) { |i| r.xadd("s", { n: i }) }
  eq r.xrange("s", "-", "+", count: 1), [[ids[0], { "n" => "0" }]]
  eq r.xgroup(:create, "s", "g", "0"), "OK"
  eq r.xreadgroup("g", "ann", "s", ">", count: 2)["s"].map(&:first), ids[0, 2]
  eq r.xack("s", "g", ids[0]), 1
  eq r.xpending("s", "g"),
     "size" => 1, "min_entry_id" => ids[1], "max_entry_id" => ids[1], "consumers" => { "ann" => "1" }
  eq r.xclaim("s", "g", "bob", 0, ids[1], justid: true), [ids[1]]
  reader = Thread.new { connect.xread("s", "$", block: 10_000) }
  waiting(r)
  id = r.xadd("s", { last: 1 }, maxlen: 3)
  eq reader.value, "s" => [[id, { "last" => "1" }]]
  eq r.xinfo(:stream, "s")["length"], 3
end

test "bits, sketches, places" do |r|
  eq r.setbit("b", 9, 1), 0
  eq r.bitcount("b"), 1
  eq r.pfadd("p", (1..100).to_a), true
  eq (95..105).cover?(r.pfcount("p")), true
  eq r.geoadd("g", 13.361389, 38.115556, "Palermo", 15.087269, 37.502669, "Catania"), 2
  eq r.georadius("g", 15, 37, 200, "km", sort: "asc"), %w[Catania Palermo]
end

test "pipelines and transactions" do |r|
  eq r.pipelined { |p| 3.times { p.incr("n") } }, [1, 2, 3]
  eq r.multi { |t| [t.rpush("l", 1), t.lpop("l")] }, [1, "1"]
  result = r.watch("n") do
    connect.incr("n")
    r.multi { |t| t.set("n", 0) }
  end
  eq result, nil
  eq r.get("n"), "4"
end

test "values that are dumped and restored" do |r|
  r.zadd("z", (1..300).map { |i| [i, "m#{i}"] })
  payload = r.dump("z")
  eq r.restore("copy", 0, payload), "OK"
  eq r.zrange("copy", 0, -1), r.zrange("z", 0, -1)
  raises("ERR DUMP payload version or checksum are wrong") { r.restore("bad", 0, "#{payload}x") }
end

test "channels" do |r|
  got = []
  thread = Thread.new do
    connect.psubscribe("n*") do |on|
      on.pmessage do |_, channel, message|
        got << [channel, message]
        raise StopIteration if message == "end"
      end
    end
  rescue StopIteration
    nil
  end
  wait_until { r.pubsub("numpat") == 1 }
  eq r.publish("news", "one"), 1
  eq r.publish("notes", "end"), 1
  thread.join
  eq got, [%w[news one], %w[notes end]]
end

test "authentication" do |_|
  raises("NOAUTH Authentication required.") { Redis.new(host: HOST, port: AUTH_PORT).get("k") }
  r = Redis.new(host: HOST, port: AUTH_PORT, password: ENV.fetch("AUTH_PASSWORD"))
  eq r.ping, "PONG"
end

test "unix socket" do |r|
  Redis.new(path: ENV.fetch("SERVER_SOCKET")).set("over", "unix")
  eq r.get("over"), "unix"
end

test "comes back when it is cut off" do |r|
  r.set("k", "v")
  connect.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
  eq r.get("k"), "v"
end

passed = failed = 0
@tests.each do |name, body|
  redis = connect
  Timeout.timeout(TEST_SECONDS) do
    redis.flushall
    body.call(redis)
  end
  passed += 1
rescue StandardError => e
  failed += 1
  puts "FAILED #{name}", e.message, e.backtrace.first(3)
end
puts "#{passed} passed, #{failed} failed"
exit(failed.zero? ? 0 : 1)
