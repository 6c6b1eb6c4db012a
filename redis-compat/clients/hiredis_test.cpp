// Drives the server with hiredis, which speaks RESP2: its blocking interface, its pipelines, and
// its asynchronous one on an event loop of poll(). See README.md for the environment.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <memory>
#include <poll.h>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include <hiredis/async.h>
#include <hiredis/hiredis.h>

namespace {

using std::string_literals::operator""s;

constexpr char kHost[] = "127.0.0.1";
constexpr int kTestSeconds = 30;

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) throw std::runtime_error(name + " is not set"s);
  return value;
}

int Port(const char* name) { return std::stoi(Environment(name)); }

// ---------------------------------------------------------------- Expectations

template <typename A, typename B>
void Eq(const A& actual, const B& expected, int line = __builtin_LINE()) {
  if (actual == expected) return;
  std::ostringstream text;
  text << "line " << line << ": " << actual << " is not " << expected;
  throw std::runtime_error(text.str().substr(0, 300));
}

void Check(bool holds, int line = __builtin_LINE()) {
  if (!holds) throw std::runtime_error("line " + std::to_string(line) + ": does not hold");
}

// ---------------------------------------------------------------- The blocking interface

// A reply as one line of text: what redis-cli would show, without quotes.
std::string Text(const redisReply* reply) {
  switch (reply->type) {
    case REDIS_REPLY_STATUS:
      return "+" + std::string(reply->str, reply->len);
    case REDIS_REPLY_ERROR:
      return "-" + std::string(reply->str, reply->len);
    case REDIS_REPLY_STRING:
      return std::string(reply->str, reply->len);
    case REDIS_REPLY_INTEGER:
      return ":" + std::to_string(reply->integer);
    case REDIS_REPLY_NIL:
      return "nil";
    case REDIS_REPLY_ARRAY: {
      std::string text = "[";
      for (size_t i = 0; i < reply->elements; ++i) {
        text += (i > 0 ? " " : "") + Text(reply->element[i]);
      }
      return text + "]";
    }
    default:
      throw std::runtime_error("a reply of unknown type");
  }
}

class Client {
 public:
  explicit Client(int port) : Client(redisConnectWithTimeout(kHost, port, timeval{5, 0})) {}
  explicit Client(const std::string& unix_socket) : Client(redisConnectUnix(unix_socket.c_str())) {}

  redisContext* context() { return context_.get(); }

  std::string Call(const std::vector<std::string>& args) {
    Append(args);
    return Next();
  }

  // For a pipeline: Append as often as wanted, then Next as often.
  void Append(const std::vector<std::string>& args) {
    std::vector<const char*> texts;
    std::vector<size_t> sizes;
    for (const std::string& arg : args) {
      texts.push_back(arg.data());
      sizes.push_back(arg.size());
    }
    const int count = static_cast<int>(args.size());
    Eq(redisAppendCommandArgv(context(), count, texts.data(), sizes.data()), REDIS_OK);
  }

  std::string Next() {
    void* reply = nullptr;
    if (redisGetReply(context(), &reply) != REDIS_OK) throw std::runtime_error(context_->errstr);
    const std::string text = Text(static_cast<redisReply*>(reply));
    freeReplyObject(reply);
    return text;
  }

 private:
  explicit Client(redisContext* context) : context_(context, &redisFree) {
    if (context == nullptr || context->err != 0) throw std::runtime_error("cannot connect");
    redisSetTimeout(context, timeval{10, 0});
  }

  std::unique_ptr<redisContext, decltype(&redisFree)> context_;
};

// What never comes true is ended by alarm().
void Until(const std::function<bool()>& condition) {
  while (!condition()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

void Strings(Client& client) {
  Eq(client.Call({"SET", "k", "v"}), "+OK");
  Eq(client.Call({"GET", "k"}), "v");
  Eq(client.Call({"GET", "none"}), "nil");
  Eq(client.Call({"SET", "k", "w", "NX"}), "nil");
  Eq(client.Call({"SET", "k", "w", "EX", "100", "GET"}), "v");
  Eq(client.Call({"TTL", "k"}), ":100");
  Eq(client.Call({"APPEND", "k", "xyz"}), ":4");
  Eq(client.Call({"GETRANGE", "k", "-3", "-1"}), "xyz");
  Eq(client.Call({"MSET", "a", "1", "b", "2"}), "+OK");
  Eq(client.Call({"MGET", "a", "none", "b"}), "[1 nil 2]");
  Eq(client.Call({"INCRBY", "a", "41"}), ":42");
  Eq(client.Call({"DEL", "a", "b", "none"}), ":2");
}

void FormattedCommands(Client& client) {
  auto* reply = static_cast<redisReply*>(
      redisCommand(client.context(), "SET %s %b", "formatted", "a\0b", size_t{3}));
  Eq(Text(reply), "+OK");
  freeReplyObject(reply);
  Eq(client.Call({"GET", "formatted"}), "a\0b"s);
}

void BinarySafe(Client& client) {
  std::string every_byte;
  for (int byte = 0; byte < 256; ++byte) every_byte.push_back(static_cast<char>(byte));
  Eq(client.Call({"SET", every_byte, every_byte}), "+OK");
  Eq(client.Call({"GET", every_byte}), every_byte);
  Eq(client.Call({"KEYS", "*"}), "[" + every_byte + "]");
  Eq(client.Call({"SET", "", ""}), "+OK");
  Eq(client.Call({"GET", ""}), "");
}

void LargeValues(Client& client) {
  std::mt19937 random(7);
  for (const size_t megabytes : {1, 4, 16}) {
    std::string value(megabytes << 20, '\0');
    for (char& byte : value) byte = static_cast<char>(random());
    Eq(client.Call({"SET", "large", value}), "+OK");
    Eq(client.Call({"STRLEN", "large"}), ":" + std::to_string(value.size()));
    Check(client.Call({"GET", "large"}) == value);
  }
}

void Pipelines(Client& client) {
  constexpr int kRequests = 50'000;
  for (int i = 0; i < kRequests; ++i) client.Append({"INCR", "n"});
  for (int i = 1; i <= kRequests; ++i) Eq(client.Next(), ":" + std::to_string(i));
  client.Append({"SET", "word", "abc"});
  client.Append({"INCR", "word"});
  client.Append({"GET", "word"});
  Eq(client.Next(), "+OK");
  Eq(client.Next(), "-ERR value is not an integer or out of range");
  Eq(client.Next(), "abc");
}

void Transactions(Client& client) {
  Eq(client.Call({"MULTI"}), "+OK");
  Eq(client.Call({"SET", "a", "1"}), "+QUEUED");
  Eq(client.Call({"INCR", "a"}), "+QUEUED");
  Eq(client.Call({"EXEC"}), "[+OK :2]");
  Client other(Port("SERVER_PORT"));
  Eq(client.Call({"WATCH", "a"}), "+OK");
  Eq(other.Call({"SET", "a", "9"}), "+OK");
  Eq(client.Call({"MULTI"}), "+OK");
  Eq(client.Call({"SET", "a", "10"}), "+QUEUED");
  Eq(client.Call({"EXEC"}), "nil");
  Eq(client.Call({"GET", "a"}), "9");
  Eq(client.Call({"MULTI"}), "+OK");
  Eq(client.Call({"GET"}), "-ERR wrong number of arguments for 'get' command");
  Eq(client.Call({"EXEC"}), "-EXECABORT Transaction discarded because of previous errors.");
  Eq(client.Call({"EXEC"}), "-ERR EXEC without MULTI");
}

void WatchLoopsLoseNoUpdate(Client& client) {
  Eq(client.Call({"SET", "n", "0"}), "+OK");
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      Client mine(Port("SERVER_PORT"));
      for (int done = 0; done < 200;) {
        mine.Call({"WATCH", "n"});
        const int n = std::stoi(mine.Call({"GET", "n"}));
        mine.Call({"MULTI"});
        mine.Call({"SET", "n", std::to_string(n + 1)});
        if (mine.Call({"EXEC"}) != "nil") ++done;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  Eq(client.Call({"GET", "n"}), "800");
}

void Expiry(Client& client) {
  Eq(client.Call({"SET", "k", "v", "PX", "30"}), "+OK");
  Until([&] { return client.Call({"GET", "k"}) == "nil"; });
  Eq(client.Call({"TTL", "k"}), ":-2");
  client.Call({"SET", "k", "v"});
  Eq(client.Call({"EXPIRE", "k", "100", "XX"}), ":0");
  Eq(client.Call({"EXPIREAT", "k", "33177117420"}), ":1");
  Eq(client.Call({"PEXPIRETIME", "k"}), ":33177117420000");
  Eq(client.Call({"PERSIST", "k"}), ":1");
}

void ScanFindsAll(Client& client) {
  for (int i = 0; i < 1000; ++i) client.Append({"SET", "s:" + std::to_string(i), "1"});
  for (int i = 0; i < 1000; ++i) client.Next();
  std::vector<bool> seen(1000);
  std::string cursor = "0";
  do {
    auto* reply = static_cast<redisReply*>(
        redisCommand(client.context(), "SCAN %s MATCH s:* COUNT 50", cursor.c_str()));
    cursor = reply->element[0]->str;
    for (size_t i = 0; i < reply->element[1]->elements; ++i) {
      seen[std::stoul(reply->element[1]->element[i]->str + 2)] = true;
    }
    freeReplyObject(reply);
  } while (cursor != "0");
  for (const bool found : seen) Check(found);
}

void PublishAndSubscribe(Client& client) {
  Client subscriber(Port("SERVER_PORT"));
  Eq(subscriber.Call({"SUBSCRIBE", "news"}), "[subscribe news :1]");
  Eq(subscriber.Call({"PSUBSCRIBE", "n*"}), "[psubscribe n* :2]");
  Eq(subscriber.Call({"SSUBSCRIBE", "orders"}), "[ssubscribe orders :1]");
  Eq(client.Call({"PUBLISH", "news", "hello"}), ":2");
  Eq(client.Call({"SPUBLISH", "orders", "one"}), ":1");
  Eq(subscriber.Next(), "[message news hello]");
  Eq(subscriber.Next(), "[pmessage n* news hello]");
  Eq(subscriber.Next(), "[smessage orders one]");
  Eq(subscriber.Call({"GET", "k"}),
     "-ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are "
     "allowed in this context");
  Eq(subscriber.Call({"RESET"}), "+RESET");
  Eq(subscriber.Call({"GET", "k"}), "nil");
}

void InvalidationsByRedirection(Client& client) {
  Client listener(Port("SERVER_PORT"));
  const std::string id = listener.Call({"CLIENT", "ID"}).substr(1);
  Eq(listener.Call({"SUBSCRIBE", "__redis__:invalidate"}), "[subscribe __redis__:invalidate :1]");
  Eq(client.Call({"CLIENT", "TRACKING", "ON", "REDIRECT", id}), "+OK");
  Eq(client.Call({"GET", "cached"}), "nil");
  Client writer(Port("SERVER_PORT"));
  Eq(writer.Call({"SET", "cached", "new"}), "+OK");
  Eq(listener.Next(), "[message __redis__:invalidate [cached]]");
  Eq(client.Call({"CLIENT", "TRACKING", "OFF"}), "+OK");
}

void Monitor(Client& client) {
  Client watching(Port("SERVER_PORT"));
  Eq(watching.Call({"MONITOR"}), "+OK");
  Eq(client.Call({"SET", "seen", "a \"b\"\n"}), "+OK");
  const std::string line = watching.Next();
  const std::string end = R"( "SET" "seen" "a \"b\"\n")";
  Check(line.size() > end.size() && line.substr(line.size() - end.size()) == end);
}

void Authentication(Client&) {
  Client guest(Port("AUTH_PORT"));
  Eq(guest.Call({"GET", "k"}), "-NOAUTH Authentication required.");
  Eq(guest.Call({"AUTH", "wrong"}),
     "-WRONGPASS invalid username-password pair or user is disabled.");
  Eq(guest.Call({"AUTH", Environment("AUTH_PASSWORD")}), "+OK");
  Eq(guest.Call({"GET", "k"}), "nil");
  Client without_password(Port("SERVER_PORT"));
  Eq(without_password.Call({"AUTH", "x"}),
     "-ERR AUTH <password> called without any password configured for the default user. Are you "
     "sure your configuration is correct?");
}

void UnixSocket(Client& client) {
  Client local(Environment("SERVER_SOCKET"));
  Eq(local.Call({"SET", "over", "unix"}), "+OK");
  Eq(client.Call({"GET", "over"}), "unix");
}

void ReconnectsAfterClientKill(Client& client) {
  Client victim(Port("SERVER_PORT"));
  const std::string id = victim.Call({"CLIENT", "ID"}).substr(1);
  Eq(client.Call({"CLIENT", "KILL", "ID", id}), ":1");
  redisReply* none = static_cast<redisReply*>(redisCommand(victim.context(), "PING"));
  Check(none == nullptr);
  Check(victim.context()->err != 0);
  Eq(redisReconnect(victim.context()), REDIS_OK);
  Eq(victim.Call({"PING"}), "+PONG");
}

void Errors(Client& client) {
  client.Call({"SET", "word", "abc"});
  Eq(client.Call({"INCR", "word"}), "-ERR value is not an integer or out of range");
  Eq(client.Call({"NOSUCH", "a"}), "-ERR unknown command 'NOSUCH', with args beginning with: 'a' ");
  Eq(client.Call({"SET", "k"}), "-ERR wrong number of arguments for 'set' command");
  Eq(client.Call({"SELECT", "99"}), "-ERR DB index is out of range");
  Eq(client.Call({"PING"}), "+PONG");
}

// ---------------------------------------------------------------- The asynchronous interface

// As much of an event loop as one connection needs.
class AsyncClient {
 public:
  using Callback = std::function<void(const std::string& reply)>;

  explicit AsyncClient(int port) : context_(redisAsyncConnect(kHost, port)) {
    if (context_ == nullptr || context_->err != 0) throw std::runtime_error("cannot connect");
    context_->data = this;
    context_->ev.data = this;
    context_->ev.addRead = [](void* self) { Events(self, POLLIN, true); };
    context_->ev.delRead = [](void* self) { Events(self, POLLIN, false); };
    context_->ev.addWrite = [](void* self) { Events(self, POLLOUT, true); };
    context_->ev.delWrite = [](void* self) { Events(self, POLLOUT, false); };
    redisAsyncSetDisconnectCallback(context_, [](const redisAsyncContext* context, int) {
      static_cast<AsyncClient*>(context->data)->context_ = nullptr;  // hiredis frees it.
    });
    redisAsyncSetConnectCallback(context_, [](const redisAsyncContext*, int status) {
      if (status != REDIS_OK) std::abort();
    });
  }
  ~AsyncClient() {
    if (context_ != nullptr) redisAsyncFree(context_);
  }
  AsyncClient(const AsyncClient&) = delete;
  AsyncClient& operator=(const AsyncClient&) = delete;

  bool connected() const { return context_ != nullptr; }

  // `callback` is called for each reply: once, or for each message of a subscription.
  void Send(const std::vector<const char*>& args, Callback callback) {
    callbacks_.push_back(std::make_unique<Callback>(std::move(callback)));
    std::vector<const char*> texts = args;
    const auto on_reply = [](redisAsyncContext*, void* reply, void* data) {
      if (reply != nullptr) (*static_cast<Callback*>(data))(Text(static_cast<redisReply*>(reply)));
    };
    Eq(redisAsyncCommandArgv(context_, on_reply, callbacks_.back().get(),
                             static_cast<int>(texts.size()), texts.data(), nullptr),
       REDIS_OK);
  }

  void RunUntil(const std::function<bool()>& done) {
    while (!done()) {
      if (context_ == nullptr) throw std::runtime_error("the connection is closed");
      pollfd descriptor{context_->c.fd, events_, 0};
      poll(&descriptor, 1, 100);
      if ((descriptor.revents & POLLOUT) != 0) redisAsyncHandleWrite(context_);
      if (context_ != nullptr && (descriptor.revents & (POLLIN | POLLHUP)) != 0) {
        redisAsyncHandleRead(context_);
      }
    }
  }

  void Disconnect() { redisAsyncDisconnect(context_); }

 private:
  static void Events(void* self, short events, bool wanted) {
    short& mask = static_cast<AsyncClient*>(self)->events_;
    mask = static_cast<short>(wanted ? mask | events : mask & ~events);
  }

  redisAsyncContext* context_;
  short events_ = 0;
  std::vector<std::unique_ptr<Callback>> callbacks_;
};

void AsyncRequestsKeepTheirOrder(Client&) {
  AsyncClient async(Port("SERVER_PORT"));
  int next = 1;
  for (int i = 0; i < 20'000; ++i) {
    async.Send({"INCR", "n"}, [&](const std::string& reply) {
      if (reply == ":" + std::to_string(next)) ++next;
    });
  }
  async.RunUntil([&] { return next == 20'001; });
  async.Disconnect();
  async.RunUntil([&] { return !async.connected(); });
}

void AsyncSubscription(Client& client) {
  AsyncClient async(Port("SERVER_PORT"));
  std::vector<std::string> got;
  async.Send({"SUBSCRIBE", "feed"}, [&](const std::string& reply) { got.push_back(reply); });
  async.RunUntil([&] { return got.size() == 1; });
  Eq(got[0], "[subscribe feed :1]");
  for (int i = 0; i < 1000; ++i) {
    Eq(client.Call({"PUBLISH", "feed", std::to_string(i)}), ":1");
  }
  async.RunUntil([&] { return got.size() == 1001; });
  for (int i = 0; i < 1000; ++i) Eq(got[i + 1], "[message feed " + std::to_string(i) + "]");
}

void KeyspaceNotifications(Client& client) {
  Eq(client.Call({"CONFIG", "SET", "notify-keyspace-events", "Ex"}), "+OK");
  AsyncClient async(Port("SERVER_PORT"));
  std::vector<std::string> got;
  async.Send({"PSUBSCRIBE", "__keyevent@*__:*"}, [&](const std::string& r) { got.push_back(r); });
  async.RunUntil([&] { return got.size() == 1; });
  client.Call({"SET", "session", "x", "PX", "30"});
  async.RunUntil([&] { return got.size() == 2; });
  Eq(got[1], "[pmessage __keyevent@*__:* __keyevent@0__:expired session]");
  Eq(client.Call({"CONFIG", "SET", "notify-keyspace-events", ""}), "+OK");
}

// The runner starts the server again when it ends.
void ReconnectsAfterARestart(Client& client) {
  Client other(Port("SERVER_PORT"));
  client.Call({"SET", "k", "before"});
  Check(redisCommand(other.context(), "SHUTDOWN NOSAVE") == nullptr);
  Until([&] { return redisReconnect(client.context()) == REDIS_OK; });
  Eq(client.Call({"GET", "k"}), "nil");
  Eq(client.Call({"SET", "k", "after"}), "+OK");
}

struct Test {
  const char* name;
  void (*body)(Client& client);
};

constexpr Test kTests[] = {
    {"strings", &Strings},
    {"formatted commands", &FormattedCommands},
    {"binary safe", &BinarySafe},
    {"large values", &LargeValues},
    {"pipelines", &Pipelines},
    {"transactions", &Transactions},
    {"watch loops lose no update", &WatchLoopsLoseNoUpdate},
    {"expiry", &Expiry},
    {"scan finds all", &ScanFindsAll},
    {"publish and subscribe", &PublishAndSubscribe},
    {"invalidations by redirection", &InvalidationsByRedirection},
    {"monitor", &Monitor},
    {"authentication", &Authentication},
    {"unix socket", &UnixSocket},
    {"reconnects after CLIENT KILL", &ReconnectsAfterClientKill},
    {"errors", &Errors},
    {"async requests keep their order", &AsyncRequestsKeepTheirOrder},
    {"async subscription", &AsyncSubscription},
    {"keyspace notifications", &KeyspaceNotifications},
    {"reconnects after a restart", &ReconnectsAfterARestart},
};

const char* running = "";

// A test that hangs ends the program: there is no other way out of a call that does not return.
void TooLong(int) {
  for (const char* text : {"FAILED ", running, ": takes too long\n"}) {
    if (write(STDOUT_FILENO, text, std::strlen(text)) < 0) break;
  }
  _exit(1);
}

}  // namespace

int main() {
  int passed = 0;
  int failed = 0;
  std::signal(SIGALRM, &TooLong);
  for (const Test& test : kTests) {
    running = test.name;
    alarm(kTestSeconds);
    try {
      Client client(Port("SERVER_PORT"));
      Eq(client.Call({"FLUSHALL"}), "+OK");
      test.body(client);
      ++passed;
    } catch (const std::exception& error) {
      ++failed;
      std::printf("FAILED %s: %s\n", test.name, error.what());
    }
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed > 0 ? 1 : 0;
}
