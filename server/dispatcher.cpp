#include "server/dispatcher.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"
#include "base/printed_text.h"
#include "commands/transaction.h"
#include "commands/watch.h"
#include "server/keyspace_events.h"
#include "server/thread_tracking.h"
#include "storage/member_table.h"

namespace larder {
namespace {

// States of a client in which a request needs more than the usual look.
constexpr uint32_t kUnusualClient = kClientMulti | kClientPubSub | kClientTracking;

// SUBSCRIBE and its like confirm by messages, which CLIENT REPLY does not silence.
bool AnswersByMessage(const Command* command) {
  constexpr uint32_t kBoth = kPubSubFlag | kRunsInPubSub;
  return command != nullptr && (command->flags() & kBoth) == kBoth;
}

// A word that differs for different names, case included, of 3 to 7 bytes; 0 for longer and shorter
// ones.
uint64_t ShortNameWord(std::string_view name) {
  const auto load = [&](size_t offset) {
    uint32_t bytes;
    std::memcpy(&bytes, name.data() + offset, sizeof(bytes));
    return uint64_t{bytes};
  };
  const size_t size = name.size();
  if (size - 4 <= 3) return load(0) | ((load(size - 4) >> 8) << 32) | (uint64_t{size} << 56);
  if (size != 3) return 0;
  uint16_t two;
  std::memcpy(&two, name.data(), sizeof(two));
  return uint64_t{two} | (uint64_t{static_cast<uint8_t>(name[2])} << 16) | (uint64_t{3} << 56);
}

// Whether the request runs with every shard locked.
bool NeedsAllShards(const Command& command, std::span<const std::string_view> args) {
  const auto asks = command.spec().extras.needs_all_shards;
  return command.Has(kAllShards) || (asks != nullptr && asks(args));
}

bool WantsCollection(const Command& command) {
  constexpr uint32_t kCollections =
      kAclSet | kAclSortedSet | kAclList | kAclHash | kAclGeo | kAclStream;
  return (command.spec().acl & kCollections) != 0;
}

bool WantsWarming(const PreparedRequest& request) {
  return request.has_key && !request.repeats_key;
}

}  // namespace

Dispatcher::Dispatcher(const Options& options)
    : services_(options.services),
      keyspace_(options.keyspace),
      commands_(options.commands),
      environment_(options.environment),
      hooks_(options.hooks),
      counters_(options.counters),
      errors_(options.errors),
      refresh_settings_(options.refresh_settings),
      random_(options.seed),
      evictor_(options.keyspace, options.eviction_domains),
      locks_(options.keyspace),
      hold_watch_(options.counters),
      nanos_per_cycle_(NanosPerCycle()) {
  for (CommandContext* context : {&context_, &retry_context_}) {
    context->services_ = &services_;
    context->keyspace_ = &keyspace_;
    context->random_ = &random_;
    context->counters_ = &counters_;
    context->eviction_domains_ = &options.eviction_domains;
  }
  retry_context_.retrying_ = true;
}

void Dispatcher::set_settings(const Settings* settings) {
  settings_ = settings;
  counters_.by_prefix.Configure(
      {.max_prefixes = static_cast<size_t>(settings->hit_ratio_max_prefixes),
       .delimiter = settings->hit_ratio_delimiter});
  constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
  const int64_t slow = settings->slowlog_log_slower_than_us;
  const int64_t latency = settings->latency_monitor_threshold_ms;
  notable_nanoseconds_ =
      std::min(slow < 0 ? kNever : slow * 1000, latency <= 0 ? kNever : latency * 1'000'000);
}

void Dispatcher::FollowSettings() {
  refresh_settings_();
  context_.settings_ = settings_;
}

Dispatcher::Result Dispatcher::Run(Client& client, std::span<Request> requests, UnixMillis now,
                                   ReplyWriter& reply) {
  const std::span<PreparedRequest> prepared(prepared_.data(), requests.size());
  Prepare(client, requests, prepared);
  if (requests.size() > 1) Warm(prepared);
  return Run(client, requests, prepared, now, reply);
}

Dispatcher::Result Dispatcher::Run(Client& client, std::span<Request> requests,
                                   std::span<const PreparedRequest> prepared, UnixMillis now,
                                   ReplyWriter& reply) {
  LARDER_DCHECK(requests.size() <= kBatch && requests.size() == prepared.size());
  found_room_ = false;
  context_.client_ = &client;
  thread_tracking.client = &client;
  context_.reply_ = &reply;
  context_.settings_ = settings_;
  context_.now_ = now;
  context_.access_clock_ = AccessClock(settings_->access_options(), now);
  last_cycles_ = CycleCount();
  const uint64_t began = last_cycles_;
  hold_watch_.Begin(began);
  Result result;
  for (Request& request : requests) {
    result.outcome = RunOne(client, request, prepared[result.executed], reply);
    if (result.outcome == Outcome::kPaused) break;
    ++result.executed;
    if (result.outcome != Outcome::kDone) break;
  }
  if (result.executed > 0) {
    client.record->last_command.store(prepared[result.executed - 1].command,
                                      std::memory_order_relaxed);
  }
  if (thread_tracking.has_broadcasts) [[unlikely]] {
    environment_.SendBroadcasts();
  }
  thread_tracking.client = nullptr;
  counters_.commands_processed.Add(static_cast<int64_t>(result.executed));
  result.cycles = last_cycles_ - began;
  return result;
}

void Dispatcher::Prepare(const Client& client, std::span<const Request> requests,
                         std::span<PreparedRequest> prepared) {
  const PreparedRequest* before = nullptr;
  for (size_t i = 0; i < requests.size(); before = &prepared[i++]) {
    PreparedRequest& found = prepared[i];
    const std::vector<std::string_view>& args = requests[i].args;
    found.command = FindCommand(args);
    found.names_member = false;
    const size_t key_arg = found.command == nullptr ? 0 : found.command->single_key_arg();
    found.has_key = key_arg != 0 && key_arg < args.size() && found.command->ArityFits(args.size());
    if (!found.has_key) continue;
    found.db = client.db;
    const size_t member_arg = found.command->MemberArg(args.size());
    found.names_member = member_arg != 0;
    if (found.names_member) found.member_hash = HashKeyText(args[member_arg]);
    const std::string_view key = args[key_arg];
    // Clients repeat themselves here too: a queue is filled and emptied in pipelines.
    found.repeats_key = before != nullptr && before->has_key && before->key.text == key;
    if (found.repeats_key) {
      found.key = before->key;
      found.key.text = key;  // Its bytes live as long as its own request.
      continue;
    }
    found.key = HashedKey::Of(key);
    __builtin_prefetch(&keyspace_.ShardFor(found.key), 1, 3);
  }
}

const Command* Dispatcher::FindCommand(std::span<const std::string_view> args) {
  // Clients repeat themselves: most requests name the same command as the one before.
  const uint64_t word = ShortNameWord(args[0]);
  if (word != 0 && word == last_name_word_) return last_command_;
  const Command* command = commands_.Resolve(args);
  // Not those of a container: which it is, the second argument says.
  if (command != nullptr && command->container() == nullptr && command->subcommands().empty()) {
    last_name_word_ = word;
    last_command_ = command;
  }
  return command;
}

void Dispatcher::Warm(std::span<PreparedRequest> prepared) {
  bool keys = false;
  bool collections = false;
  bool members = false;
  // A shard that another thread holds is passed over: a hint is not worth waiting for.
  for (const PreparedRequest& request : prepared) {
    members |= request.names_member;
    if (!WantsWarming(request)) continue;
    keys = true;
    collections |= WantsCollection(*request.command);
    Shard& shard = keyspace_.ShardFor(request.key);
    if (!shard.mu().TryLock()) continue;
    shard.PrefetchBucket(request.db, request.key.hash);
    shard.mu().Unlock();
  }
  if (keys) WarmEntries(prepared);
  // Only large strings stand apart from their entries: where none was met, none is looked for in
  // the next rounds.
  constexpr uint8_t kRoundsWithout = 15;
  const bool blobs = keys && rounds_without_blobs_ == 0;
  if (rounds_without_blobs_ != 0) --rounds_without_blobs_;
  if ((collections || blobs) && !WarmValues(prepared, blobs) && blobs) {
    rounds_without_blobs_ = kRoundsWithout;
  }
  if (members) WarmMembers(prepared);
}

void Dispatcher::WarmEntries(std::span<const PreparedRequest> prepared) {
  // Under rules, GET looks whether the value is fresh.
  const bool to_end = !settings_->stampede_rules->empty();
  for (const PreparedRequest& request : prepared) {
    if (!WantsWarming(request)) continue;
    Shard& shard = keyspace_.ShardFor(request.key);
    if (!shard.mu().TryLock()) continue;
    shard.PrefetchEntry(request.db, request.key.hash, to_end);
    shard.mu().Unlock();
  }
}

bool Dispatcher::WarmValues(std::span<const PreparedRequest> prepared, bool blobs) {
  bool any_blob = false;
  for (const PreparedRequest& request : prepared) {
    if (!WantsWarming(request)) continue;
    const bool collection = WantsCollection(*request.command);
    if (!collection && !blobs) continue;
    Shard& shard = keyspace_.ShardFor(request.key);
    if (!shard.mu().TryLock()) continue;
    any_blob |= shard.PrefetchValue(request.db, request.key.hash) && !collection;
    shard.mu().Unlock();
  }
  return any_blob;
}

void Dispatcher::WarmMembers(std::span<PreparedRequest> prepared) {
  for (PreparedRequest& request : prepared) {
    if (!request.names_member) continue;
    // Of a small collection nothing is looked up: the next loop passes it over.
    request.names_member = false;
    Shard& shard = keyspace_.ShardFor(request.key);
    if (!shard.mu().TryLock()) continue;
    const MemberTable* members = shard.LikelyMembers(request.db, request.key.hash);
    request.names_member = members != nullptr;
    if (members != nullptr) members->PrefetchBucket(request.member_hash);
    shard.mu().Unlock();
  }
  for (const PreparedRequest& request : prepared) {
    if (!request.names_member) continue;
    Shard& shard = keyspace_.ShardFor(request.key);
    if (!shard.mu().TryLock()) continue;
    const MemberTable* members = shard.LikelyMembers(request.db, request.key.hash);
    if (members != nullptr) members->PrefetchEntry(request.member_hash);
    shard.mu().Unlock();
  }
}

Dispatcher::Outcome Dispatcher::RunOne(Client& client, Request& request,
                                       const PreparedRequest& prepared, ReplyWriter& reply) {
  if (client.reply_mode == ReplyMode::kSkipNext) client.reply_mode = ReplyMode::kSkipping;
  const size_t silent_from = reply.out().size();
  const bool silent = client.reply_mode != ReplyMode::kOn;

  if (prepared.command == nullptr) [[unlikely]] {
    RejectUnknown(client, request, reply);
  } else {
    const Command& command = *prepared.command;
    if (Admit(client, command, request, reply)) {
      if (environment_.Paused(client, command)) [[unlikely]]
        return Outcome::kPaused;
      if (client.Is(kClientMulti) && !command.Has(kControlsMulti)) [[unlikely]] {
        Queue(client, command, request, reply);
      } else {
        uint64_t errors_before = reply.error_count();
        context_.command_ = &command;
        context_.args_ = request.args;
        context_.blobs_ = &request.blobs;
        context_.dirty_ = 0;
        if (prepared.has_key) {
          RunSingleKey(command, prepared.key);
        } else if (command.Has(kRunsQueue) && client.Is(kClientMulti)) [[unlikely]] {
          errors_before += RunTransaction(client, reply);
        } else if (command.keyless()) {
          RunKeyless(command);
        } else {
          RunManyKeys(command, request);
        }
        // Before it is accounted for: the command that turns the slow log on is its first entry.
        if (command.Has(kAdmin)) [[unlikely]]
          FollowSettings();
        Account(client, command, request.args, errors_before);
      }
    }
  }

  if (silent) [[unlikely]] {
    // CLIENT REPLY ON answers although the mode was off when it came.
    if (client.reply_mode != ReplyMode::kOn && !AnswersByMessage(prepared.command)) {
      reply.out().Truncate(silent_from);
    }
    if (client.reply_mode == ReplyMode::kSkipping) client.reply_mode = ReplyMode::kOn;
  } else if (client.reply_mode == ReplyMode::kOff || client.reply_mode == ReplyMode::kSkipNext)
      [[unlikely]] {
    reply.out().Truncate(silent_from);  // CLIENT REPLY OFF and SKIP are silent themselves.
  }
  if (client.Is(kClientTracking) || thread_tracking.has_invalidations) [[unlikely]] {
    environment_.AfterTrackedCommand(client, prepared.command);
  }
  if (context_.block_requested_) [[unlikely]] {
    context_.block_requested_ = false;
    return Outcome::kBlocked;
  }
  return client.Is(kClientCloseAfterReply | kClientCloseNow) ? Outcome::kClosing : Outcome::kDone;
}

bool Dispatcher::Admit(Client& client, const Command& command, Request& request,
                       ReplyWriter& reply) {
  if (!command.ArityFits(request.args.size())) [[unlikely]] {
    Reject(client, &command, error_text::WrongArity(command.full_name()), reply);
    return false;
  }
  if (command.spec().handler == nullptr) [[unlikely]] {  // A container with an unknown subcommand.
    Reject(client, &command, error_text::UnknownSubcommand(request.args[1], command.full_name()),
           reply);
    return false;
  }
  if (command.Has(kProtected)) [[unlikely]] {
    const std::string_view refused = environment_.RefusedByProtection(client, command);
    if (!refused.empty()) {
      Reject(client, &command, refused, reply);
      return false;
    }
  }
  if (!client.Is(kClientAuthenticated) && !command.Has(kNoAuth)) [[unlikely]] {
    Reject(client, &command, error_text::kNoAuth, reply);
    return false;
  }
  if (client.Is(kUnusualClient)) [[unlikely]] {
    if (client.Is(kClientMulti) && command.Has(kNoMulti)) {
      Reject(client, &command, error_text::kNotInMulti, reply);
      return false;
    }
    if (client.Is(kClientPubSub) && client.resp == RespVersion::kResp2 &&
        !command.Has(kRunsInPubSub)) {
      Reject(client, &command, error_text::OnlyInPubSub(command.full_name()), reply);
      return false;
    }
  }
  if (settings_->maxmemory_bytes > 0 && !HasRoomFor(client, command)) [[unlikely]] {
    Reject(client, &command, error_text::kOutOfMemory, reply);
    return false;
  }
  return true;
}

bool Dispatcher::HasRoomFor(Client& client, const Command& command) {
  const bool adds = MayAddData(client, command);
  const bool reads = !adds && command.Has(kReadOnly);
  if (reads && found_room_) [[likely]]
    return true;
  // As with Redis, every command helps to get back below the limit, not only one that adds.
  const bool evicts =
      settings_->eviction_policy != EvictionPolicy::kNoEviction && !environment_.HoldsData();
  const bool has_room = (!adds && !evicts) || MakeRoom();
  found_room_ = reads && (!evicts || evictor_.Within(settings_->maxmemory_bytes));
  if (thread_tracking.has_invalidations) [[unlikely]]
    environment_.TellOfEvicted(client);
  return !adds || has_room;
}

bool Dispatcher::MayAddData(const Client& client, const Command& command) {
  if (command.Has(kDenyOom)) return true;
  if (!client.Is(kClientMulti)) return false;
  // A queue takes memory whatever is in it. EXEC adds what its commands add; they were checked when
  // they were queued, but time has passed.
  if (command.Has(kRunsQueue)) return (client.transaction->flags & kDenyOom) != 0;
  return !command.Has(kControlsMulti);
}

bool Dispatcher::MakeRoom() {
  const Evictor::Options options{.maxmemory_bytes = settings_->maxmemory_bytes,
                                 .samples = settings_->maxmemory_samples,
                                 .access = settings_->access_options()};
  return evictor_.MakeRoom(
      options, context_.now_, random_, [this](const Evictor::Evicted& evicted) {
        counters_.evicted_keys.Increment();
        counters_.evictions.Count(settings_->eviction_policy, evicted.bytes, evicted.idle_seconds);
        // A copy of each key would take the room that its eviction has made.
        if ((settings_->notify_events & kNotifyEvicted) == 0) return;
        context_.events_.push_back(
            {kNotifyEvicted, "evicted", evicted.db, std::string(evicted.key)});
      });
}

bool Dispatcher::EvictSlice(UnixMillis now) {
  const int64_t limit_bytes = settings_->maxmemory_bytes;
  if (evictor_.Within(limit_bytes)) return false;
  context_.now_ = now;
  const int64_t evicted_before = counters_.evicted_keys.Get();
  MakeRoom();
  PublishEvents();
  // Room may come without evicting, from what is on its way out or from pages that are released;
  // asking for it again and again would only take the processor from those who make it.
  return counters_.evicted_keys.Get() != evicted_before && !evictor_.Within(limit_bytes);
}

void Dispatcher::Reject(Client& client, const Command* command, std::string_view error,
                        ReplyWriter& reply) {
  if (command != nullptr && command->Has(kRunsQueue)) {
    // An EXEC that is refused has ended the transaction, if there was one.
    DiscardTransaction(client, keyspace_, services_);
    reply.Error(error_text::ExecAbortedBecause(error));
  } else {
    if (client.Is(kClientMulti)) client.Set(kClientDirtyExec);
    reply.Error(error);
  }
  errors_.Count(reply.last_error());
  counters_.error_replies.Increment();
  if (command != nullptr) counters_.by_command[command->id()].rejected_calls.Increment();
}

void Dispatcher::RejectUnknown(Client& client, const Request& request, ReplyWriter& reply) {
  // A web page that makes a browser talk to this port sends "POST" and "Host:". What it hides
  // behind them must not be executed.
  const std::string_view name = request.args[0];
  if (EqualsIgnoreCase(name, "post") || EqualsIgnoreCase(name, "host:")) {
    client.Set(kClientCloseNow);
    return;
  }
  // As much of the arguments as fits into a line that somebody will read in a log.
  constexpr size_t kMost = 128;
  std::string args;
  for (size_t i = 1; i < request.args.size() && args.size() < kMost; ++i) {
    absl::StrAppend(&args, "'", AsPrinted(request.args[i].substr(0, kMost - args.size())), "' ");
  }
  Reject(client, nullptr,
         absl::StrCat("ERR unknown command '", AsPrinted(request.args[0].substr(0, kMost)),
                      "', with args beginning with: ", args),
         reply);
}

void Dispatcher::Queue(Client& client, const Command& command, Request& request,
                       ReplyWriter& reply) {
  if (request.args.size() > 1 && !command.subcommands().empty()) {
    // COMMAND, which means something by itself, with a subcommand that is none.
    return Reject(client, &command,
                  error_text::UnknownSubcommand(request.args[1], command.full_name()), reply);
  }
  TransactionState& transaction = *client.transaction;
  transaction.queue.emplace_back(command, request.args, std::move(request.blobs));
  transaction.memory_bytes += transaction.queue.back().memory_bytes();
  transaction.flags |= command.flags();
  reply.Simple("QUEUED");
}

void Dispatcher::RunSingleKey(const Command& command, const HashedKey& key) {
  Shard& shard = keyspace_.ShardFor(key);
  context_.keys_.resize(1);
  context_.key_args_.resize(1);
  context_.shards_.resize(1);
  context_.keys_[0] = key;
  context_.touched_ = 0;
  context_.key_args_[0] = static_cast<uint32_t>(command.single_key_arg());
  context_.shards_[0] = &shard;
  if (!TrySingleKey(command, shard)) [[unlikely]]
    RunBoundKeys(command);
  FinishLocked();
}

bool Dispatcher::TrySingleKey(const Command& command, Shard& shard) {
  MutexLock lock(shard.mu());
  const uint32_t id = shard.id();
  if (shard.observed() && command.Has(kWrite)) [[unlikely]] {
    std::vector<uint32_t> wanted;
    if (AddWaitersShards(context_.db(), context_.keys_, {&id, 1}, wanted)) return false;
  }
  CallHandler(command);
  if (!ready_.empty() || context_.block_requested_) [[unlikely]]
    AfterHandler({&id, 1});
  return true;
}

void Dispatcher::RunKeyless(const Command& command) {
  context_.keys_.clear();
  context_.key_args_.clear();
  context_.shards_.clear();
  CallHandler(command);
  // Its handler may have locked shards by itself, and changed what others wait for.
  if (!ready_.empty() || context_.block_requested_) [[unlikely]]
    AfterHandler({});
  FinishLocked();
}

void Dispatcher::RunManyKeys(const Command& command, Request& request) {
  BindKeys(command, request.args, context_);
  RunBoundKeys(command);
  FinishLocked();
}

void Dispatcher::RunBoundKeys(const Command& command) {
  const bool all = NeedsAllShards(command, context_.args_);
  if (all) {
    locks_.AddAll();
  } else {
    for (const Shard* shard : context_.shards_) locks_.Add(shard->id());
  }
  LockWithWaiters(context_.db(), context_.keys_);
  context_.all_shards_locked_ = all;
  CallHandler(command);
  if (!ready_.empty() || context_.block_requested_) [[unlikely]]
    AfterHandler(locks_.ids());
  context_.all_shards_locked_ = false;
  locks_.Unlock();
}

void Dispatcher::AfterHandler(std::span<const uint32_t> held) {
  if (context_.block_requested_ && !context_.block_keys_.empty()) {
    ParkClient(*context_.client_);
  }
  ServeReady(held);
}

void Dispatcher::FinishLocked() {
  if (!later_.empty() || !ready_.empty()) [[unlikely]]
    ServeLater();
  PublishEvents();
}

void Dispatcher::BindKeys(const Command& command, std::span<const std::string_view> args,
                          CommandContext& context) {
  positions_.clear();
  // Where the specification makes no sense of the arguments, the handler finds the same fault in
  // them and says so before it touches a key.
  FindKeys(command, args, positions_);
  context.keys_.clear();
  context.key_args_.clear();
  context.shards_.clear();
  context.touched_ = 0;
  for (const KeyPosition& position : positions_) {
    if ((position.flags & kKeyNotKey) != 0) continue;
    const HashedKey& key = context.keys_.emplace_back(HashedKey::Of(args[position.arg]));
    context.key_args_.push_back(position.arg);
    context.shards_.push_back(&keyspace_.ShardFor(key));
  }
}

void Dispatcher::CallHandler(const Command& command) {
  command.spec().handler(context_);
  if (context_.client_->Is(kClientTracking) && command.Has(kReadOnly)) [[unlikely]] {
    environment_.RememberReads(*context_.client_, context_);
  }
}

uint64_t Dispatcher::RunTransaction(Client& client, ReplyWriter& reply) {
  if (client.Is(kClientDirtyExec)) {
    DiscardTransaction(client, keyspace_, services_);
    reply.Error(error_text::kExecAborted);
    return 0;
  }
  const uint64_t errors_at_start = reply.error_count();
  // The client leaves MULTI before its commands run, as they would ask.
  const std::unique_ptr<TransactionState> transaction = std::move(client.transaction);
  client.Set(kClientMulti, false);

  bool all = false;
  std::vector<HashedKey> keys;
  for (const OwnedRequest& queued : transaction->queue) {
    all |= queued.command().Has(kShardByShard) || NeedsAllShards(queued.command(), queued.args());
    positions_.clear();
    FindKeys(queued.command(), queued.args(), positions_);
    for (const KeyPosition& position : positions_) {
      keys.push_back(HashedKey::Of(queued.args()[position.arg]));
      locks_.Add(keyspace_.ShardOf(keys.back().slot));
    }
  }
  if (client.watch != nullptr) {
    for (const WatchedKey& watched : client.watch->keys) {
      locks_.Add(keyspace_.ShardOf(KeySlot(watched.key)));
    }
  }
  if (all) locks_.AddAll();
  LockWithWaiters(client.db, keys);
  if (WatchedKeysChanged(client)) {
    reply.NullArray();
  } else {
    context_.in_transaction_ = true;
    context_.all_shards_locked_ = locks_.holds_all();
    const Command* exec = context_.command_;
    reply.Array(transaction->queue.size());
    for (OwnedRequest& queued : transaction->queue) {
      const uint64_t errors_before = reply.error_count();
      context_.command_ = &queued.command();
      context_.args_ = queued.args();
      context_.blobs_ = &queued.blobs();
      BindKeys(queued.command(), queued.args(), context_);
      CallHandler(queued.command());
      if (queued.command().Has(kAdmin)) FollowSettings();
      Account(client, queued.command(), queued.args(), errors_before);
    }
    context_.command_ = exec;
    context_.in_transaction_ = false;
    if (!ready_.empty()) [[unlikely]]
      AfterHandler(locks_.ids());
    context_.all_shards_locked_ = false;
  }
  locks_.Unlock();
  UnwatchAll(client, keyspace_, services_);
  FinishLocked();
  return reply.error_count() - errors_at_start;
}

bool Dispatcher::WatchedKeysChanged(Client& client) {
  if (client.watch == nullptr) return false;
  if (client.watch->flag->dirty.load(std::memory_order_relaxed)) return true;
  for (const WatchedKey& watched : client.watch->keys) {
    const HashedKey key = HashedKey::Of(watched.key);
    Shard& shard = keyspace_.ShardFor(key);
    shard.mu().AssertHeld();
    // A key whose time has come since it was watched counts as changed, and so does a hash of which
    // a field has gone. Looking for it removes what has expired, which sets the flag.
    Entry* entry = shard.Find(watched.db, key, context_.now_);
    if (entry != nullptr) shard.ExpireFields(watched.db, key, entry, context_.now_);
  }
  return client.watch->flag->dirty.load(std::memory_order_relaxed);
}

void Dispatcher::PublishEvents() {
  if (context_.events_.empty()) [[likely]]
    return;
  std::vector<KeyspaceEvent> events;
  events.swap(context_.events_);
  for (const KeyspaceEvent& event : events) PublishKeyspaceEvent(services_, *settings_, event);
}

void Dispatcher::Account(const Client& client, const Command& command,
                         std::span<const std::string_view> args, uint64_t errors_before) {
  const uint64_t cycles = CycleCount();
  const auto nanoseconds =
      static_cast<int64_t>(static_cast<double>(cycles - last_cycles_) * nanos_per_cycle_);
  last_cycles_ = cycles;
  CommandCounters& counters = counters_.by_command[command.id()];
  counters.calls.Increment();
  counters.nanoseconds.Add(nanoseconds);
  if (settings_->latency_tracking) counters.latency.Record(nanoseconds);
  if (context_.dirty_ != 0) {
    counters_.dirty.Add(context_.dirty_);
    context_.dirty_ = 0;
  }
  if (context_.reply_->error_count() != errors_before) [[unlikely]] {
    counters.failed_calls.Increment();
    counters_.error_replies.Increment();
    errors_.Count(context_.reply_->last_error());
  }
  if (!context_.keys_.empty()) hold_watch_.Note(nanoseconds);
  if (nanoseconds >= notable_nanoseconds_ && !context_.block_requested_) [[unlikely]] {
    environment_.NoteDuration(client, command, ShownArgs(args), nanoseconds);
  }
  if (environment_.monitored()) [[unlikely]] {
    environment_.FeedMonitors(client, command, ShownArgs(args));
    last_cycles_ = CycleCount();  // Being watched is not the next command's fault.
  }
  if (!context_.redacted_args_.empty()) [[unlikely]]
    context_.redacted_args_.clear();
}

std::span<const std::string_view> Dispatcher::ShownArgs(std::span<const std::string_view> args) {
  if (context_.redacted_args_.empty()) return args;
  shown_args_.assign(args.begin(), args.end());
  for (const uint32_t index : context_.redacted_args_) shown_args_[index] = "(redacted)";
  return shown_args_;
}

}  // namespace larder
