# Lets Sidekiq's own process do jobs. See README.md for the environment. Scheduled jobs and retries
# are moved by a script of Sidekiq's and are looked at once there are scripts.
require "redis"
require "sidekiq"
require "sidekiq/api"
require "tmpdir"

URL = "redis://127.0.0.1:#{ENV.fetch('SERVER_PORT')}".freeze
JOBS = <<~RUBY.freeze
  require "sidekiq"
  Sidekiq.configure_server { |config| config.redis = { url: ENV.fetch("REDIS_URL") } }
  class Add
    include Sidekiq::Worker
    def perform(key, n)
      Sidekiq.redis { |r| r.incrby(key, n) }
    end
  end
  class Fail
    include Sidekiq::Worker
    sidekiq_options retry: 3
    def perform
      raise "on purpose"
    end
  end
RUBY

Sidekiq.configure_client { |config| config.redis = { url: URL } }
@passed = @failed = 0

def eq(actual, expected)
  raise "#{actual.inspect[0, 300]} is not #{expected.inspect[0, 300]}" unless actual == expected
end

def wait_until(seconds = 20)
  limit = Process.clock_gettime(Process::CLOCK_MONOTONIC) + seconds
  until (result = yield)
    raise "does not happen" if Process.clock_gettime(Process::CLOCK_MONOTONIC) > limit

    sleep 0.02
  end
  result
end

def test(name)
  Sidekiq.redis(&:flushall)
  yield
  @passed += 1
rescue StandardError => e
  @failed += 1
  puts "FAILED #{name}", e.message, e.backtrace.first(3)
end

def with_process
  Dir.mktmpdir do |folder|
    jobs = File.join(folder, "jobs.rb")
    File.write(jobs, JOBS)
    log = File.join(folder, "log")
    pid = spawn({ "REDIS_URL" => URL }, "sidekiq", "-r", jobs, "-c", "5", "-q", "high", "-q", "default",
                chdir: folder, out: log, err: log)
    begin
      yield
    ensure
      Process.kill("TERM", pid)
      Process.wait(pid)
    end
  end
end

test "jobs are done" do
  100.times { |i| Sidekiq::Client.push("class" => "Add", "args" => ["sum", i]) }
  eq Sidekiq::Queue.new.size, 100
  with_process do
    wait_until { Sidekiq.redis { |r| r.get("sum") } == "4950" }
    wait_until { Sidekiq::Stats.new.processed == 100 }
    eq Sidekiq::Queue.new.size, 0
  end
end

test "jobs in bulk, while a process waits" do
  with_process do
    wait_until { Sidekiq::ProcessSet.new.size == 1 }
    Sidekiq::Client.push_bulk("class" => "Add", "queue" => "high", "args" => (1..500).map { |n| ["sum", n] })
    wait_until { Sidekiq.redis { |r| r.get("sum") } == "125250" }
    eq Sidekiq::ProcessSet.new.first["concurrency"], 5
  end
end

test "failures are kept for a retry" do
  with_process do
    Sidekiq::Client.push("class" => "Fail", "args" => [], "retry" => 3)
    wait_until { Sidekiq::RetrySet.new.size == 1 }
    eq Sidekiq::RetrySet.new.first["error_message"], "on purpose"
  end
end

test "sets and queues can be looked into" do
  id = Sidekiq::Client.push("class" => "Add", "args" => ["sum", 1], "at" => Time.now.to_f + 1000)
  Sidekiq::Client.push("class" => "Add", "args" => ["sum", 2])
  eq Sidekiq::ScheduledSet.new.map(&:jid), [id]
  eq Sidekiq::ScheduledSet.new.find_job(id).delete, true
  eq Sidekiq::Queue.new.map { |job| job.args.last }, [2]
  eq Sidekiq::Queue.new.clear.is_a?(Array), true
  eq Sidekiq::Queue.new.size, 0
end

puts "#{@passed} passed, #{@failed} failed"
exit(@failed.zero? ? 0 : 1)
