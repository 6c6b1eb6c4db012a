// The engine without sockets and threads: a server that never starts, a dispatcher of its own, and
// what the two would tell the rest of the process, written down.
//
// Concurrency: thread-confined.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "commands/thread_counters.h"
#include "protocol/output_buffer.h"
#include "protocol/reply_writer.h"
#include "server/config_store.h"
#include "server/dispatcher.h"
#include "server/server.h"

namespace larder {

// Publishes to nobody.
class PublishedMessages : public PubSub {
 public:
  using Message = std::pair<std::string, std::string>;

  bool Subscribe(Client&, ChannelKind, std::string_view) override { return false; }
  bool Unsubscribe(Client&, ChannelKind, std::string_view) override { return false; }
  void UnsubscribeAll(Client&) override {}
  int64_t Publish(ChannelKind, std::string_view channel, std::string_view message,
                  Client*) override {
    messages.emplace_back(channel, message);
    if (on_publish) on_publish();
    return 0;
  }
  std::vector<std::string> Channels(ChannelKind, std::string_view) const override { return {}; }
  int64_t Subscribers(ChannelKind, std::string_view) const override { return 0; }
  int64_t PatternCount() const override { return 0; }

  std::vector<Message> messages;
  std::function<void()> on_publish;
};

class UnstartedServer : public Server {
 public:
  using Server::Server;

  PubSub& pubsub() override { return published; }
  bool monitored() const override { return has_monitor; }
  void FeedMonitors(const Client&, const Command&,
                    std::span<const std::string_view> args) override {
    monitor_lines.push_back(Joined(args));
  }
  bool Paused(const Client&, const Command& command) const override {
    return command.Has(paused_flags);
  }
  void NoteDuration(const Client&, const Command&, std::span<const std::string_view> args,
                    int64_t) override {
    noted.push_back(Joined(args));
  }

  PublishedMessages published;
  bool has_monitor = false;
  std::vector<std::string> monitor_lines;
  uint32_t paused_flags = 0;
  std::vector<std::string> noted;

 private:
  static std::string Joined(std::span<const std::string_view> args) {
    std::string line;
    for (const std::string_view arg : args) line.append(line.empty() ? "" : " ").append(arg);
    return line;
  }
};

class Engine {
 public:
  using Requests = std::vector<std::vector<std::string>>;

  explicit Engine(const std::vector<std::string_view>& arguments = {}) {
    LARDER_CHECK(store_.LoadArguments(arguments).ok());
    server_ = std::make_unique<UnstartedServer>(store_);
    settings_ = server_->settings_snapshot();
    counters_ = std::make_unique<ThreadCounters>(server_->command_table().all().size());
    dispatcher_ = std::make_unique<Dispatcher>(Dispatcher::Options{
        .services = *server_,
        .keyspace = server_->keyspace(),
        .eviction_domains = server_->eviction_domains(),
        .commands = server_->command_table(),
        .environment = *server_,
        .hooks = server_->hooks(),
        .counters = *counters_,
        .errors = errors_,
        .refresh_settings = [] {},
        .seed = 1,
    });
    dispatcher_->set_settings(settings_.get());
    dispatcher_->BindThread();
    client_.Set(kClientAuthenticated);
  }
  ~Engine() { dispatcher_->UnbindThread(); }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Runs `requests` as one batch; returns the bytes of the replies. result() says how it ended.
  std::string Run(const Requests& requests) {
    std::vector<Request> batch(requests.size());
    for (size_t i = 0; i < requests.size(); ++i) {
      for (const std::string& arg : requests[i]) batch[i].args.emplace_back(arg);
    }
    OutputBuffer out;
    ReplyWriter reply(out, client_.resp);
    result_ = dispatcher_->Run(client_, batch, UnixMillisNow(), reply);
    return out.ToString();
  }
  const Dispatcher::Result& result() const { return result_; }

  UnstartedServer& server() { return *server_; }
  Dispatcher& dispatcher() { return *dispatcher_; }
  Client& client() { return client_; }
  ThreadCounters& counters() { return *counters_; }
  const CommandCounters& counters_of(std::string_view command) {
    const std::vector<std::string_view> args = {command};
    return counters_->by_command[server_->command_table().Resolve(args)->id()];
  }
  ErrorCounters& errors() { return errors_; }

  // That nobody holds the lock of any shard.
  bool AllShardsAreFree() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    for (uint32_t id = 0; id < server_->keyspace().shard_count(); ++id) {
      Mutex& mu = server_->keyspace().shard(id).mu();
      if (!mu.TryLock()) return false;
      mu.Unlock();
    }
    return true;
  }

 private:
  ConfigStore store_;
  std::unique_ptr<UnstartedServer> server_;
  std::shared_ptr<const Settings> settings_;
  std::unique_ptr<ThreadCounters> counters_;
  ErrorCounters errors_;
  std::unique_ptr<Dispatcher> dispatcher_;
  Client client_{std::make_shared<ClientRecord>()};
  Dispatcher::Result result_;
};

}  // namespace larder
