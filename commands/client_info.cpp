#include "commands/client_info.h"

#include <chrono>

#include "absl/strings/str_cat.h"
#include "base/text.h"
#include "commands/command_context.h"
#include "commands/transaction.h"

namespace larder {
namespace {

struct FlagLetter {
  uint32_t flag;
  char letter;
};

// In the order of Redis. 'R' has no flag: another thread finds out that a redirection is broken.
constexpr FlagLetter kFlagLetters[] = {
    {kClientMonitor, 'O'},           {kClientPubSub, 'P'},     {kClientMulti, 'x'},
    {kClientBlocked, 'b'},           {kClientTracking, 't'},   {0, 'R'},
    {kClientTrackingBroadcast, 'B'}, {kClientDirtyCas, 'd'},   {kClientCloseAfterReply, 'c'},
    {kClientCloseNow, 'A'},          {kClientUnixSocket, 'U'}, {kClientReadOnly, 'r'},
    {kClientNoEvict, 'e'},           {kClientNoTouch, 'T'},
};

template <typename T>
T Read(const std::atomic<T>& figure) {
  return figure.load(std::memory_order_relaxed);
}

int64_t SecondsSince(MonoTime then, MonoTime now) {
  return std::chrono::duration_cast<std::chrono::seconds>(now - then).count();
}

std::string_view LastCommand(const ClientRecord& record) {
  const Command* command = Read(record.last_command);
  return command == nullptr ? std::string_view("NULL") : command->full_name();
}

size_t DecimalDigits(size_t number) {
  size_t digits = 1;
  for (; number >= 10; number /= 10) ++digits;
  return digits;
}

// What the request takes on the wire, sent as an array.
size_t WireBytes(std::span<const std::string_view> args) {
  size_t bytes = 1 + DecimalDigits(args.size()) + 2;
  for (const std::string_view arg : args) {
    bytes += 1 + DecimalDigits(arg.size()) + 2 + arg.size() + 2;
  }
  return bytes;
}

}  // namespace

std::optional<ClientType> ParseClientType(std::string_view name) {
  if (EqualsIgnoreCase(name, "normal")) return ClientType::kNormal;
  if (EqualsIgnoreCase(name, "master")) return ClientType::kMaster;
  if (EqualsIgnoreCase(name, "primary")) return ClientType::kMaster;
  if (EqualsIgnoreCase(name, "replica")) return ClientType::kReplica;
  if (EqualsIgnoreCase(name, "slave")) return ClientType::kReplica;
  if (EqualsIgnoreCase(name, "pubsub")) return ClientType::kPubSub;
  return std::nullopt;
}

ClientType TypeOf(const ClientRecord& record) {
  return (Read(record.flags) & kClientPubSub) != 0 ? ClientType::kPubSub : ClientType::kNormal;
}

std::string FlagLetters(const ClientRecord& record) {
  const uint32_t flags = Read(record.flags);
  std::string letters;
  for (const FlagLetter& entry : kFlagLetters) {
    const bool set = entry.letter == 'R' ? Read(record.redirect_broken) : (flags & entry.flag) != 0;
    if (set) letters.push_back(entry.letter);
  }
  if (letters.empty()) letters.push_back('N');
  return letters;
}

std::string_view AllFlagLetters() {
  static const std::string letters = [] {
    std::string all = "N";
    for (const FlagLetter& entry : kFlagLetters) all.push_back(entry.letter);
    return all;
  }();
  return letters;
}

int64_t MemoryOf(const ClientRecord& record) {
  return static_cast<int64_t>(sizeof(ClientRecord)) + Read(record.query_buffer_bytes) +
         Read(record.query_buffer_free_bytes) + Read(record.argument_bytes) +
         Read(record.multi_bytes) + Read(record.output_bytes) + Read(record.other_bytes);
}

void AppendClientLine(std::string& out, const ClientRecord& record, MonoTime now) {
  std::string name;
  std::string library_name;
  std::string library_version;
  std::string user;
  {
    MutexLock lock(record.text_mu);
    name = record.name;
    library_name = record.library_name;
    library_version = record.library_version;
    user = record.user;
  }
  const MonoTime last_interaction{std::chrono::nanoseconds(Read(record.last_interaction_ns))};
  const int64_t output_bytes = Read(record.output_bytes);
  absl::StrAppend(&out, "id=", record.id, " addr=", record.address, " laddr=", record.local_address,
                  " fd=", record.fd, " name=", name,
                  " age=", SecondsSince(record.connected_at, now),
                  " idle=", SecondsSince(last_interaction, now), " flags=", FlagLetters(record));
  absl::StrAppend(
      &out, " db=", Read(record.db), " sub=", Read(record.channels),
      " psub=", Read(record.patterns), " ssub=", Read(record.shard_channels),
      " multi=", Read(record.queued_commands), " qbuf=", Read(record.query_buffer_bytes),
      " qbuf-free=", Read(record.query_buffer_free_bytes),
      " argv-mem=", Read(record.argument_bytes), " multi-mem=", Read(record.multi_bytes));
  // Replies stand in chunks that the connection borrows, so that there is no buffer of its own to
  // speak of (rbs, rbp, obl); what waits for the socket is all in the list.
  absl::StrAppend(&out, " rbs=0 rbp=0 obl=0 oll=", output_bytes > 0 ? 1 : 0, " omem=", output_bytes,
                  " tot-mem=", MemoryOf(record), " events=", output_bytes > 0 ? "rw" : "r",
                  " cmd=", AsAbsl(LastCommand(record)), " user=", user,
                  " redir=", Read(record.redirect_client), " resp=", Read(record.resp));
  absl::StrAppend(&out, " lib-name=", library_name, " lib-ver=", library_version,
                  " watch=", Read(record.watched_keys), " tot-net-in=", Read(record.net_in_bytes),
                  " tot-net-out=", Read(record.net_out_bytes),
                  " tot-cmds=", Read(record.total_commands), "\n");
}

void RefreshRecord(CommandContext& ctx) {
  const Client& client = ctx.client();
  ClientRecord& record = *client.record;
  constexpr auto kRelaxed = std::memory_order_relaxed;
  record.last_interaction_ns.store(MonoNow().time_since_epoch().count(), kRelaxed);
  record.db.store(client.db, kRelaxed);
  record.flags.store(client.flags, kRelaxed);
  record.resp.store(static_cast<int32_t>(client.resp), kRelaxed);
  record.last_command.store(&ctx.command(), kRelaxed);
  record.query_buffer_bytes.store(static_cast<int64_t>(WireBytes(ctx.args())), kRelaxed);
  int64_t argument_bytes = 0;
  for (const std::string_view arg : ctx.args()) argument_bytes += static_cast<int64_t>(arg.size());
  record.argument_bytes.store(argument_bytes, kRelaxed);
  record.queued_commands.store(
      client.transaction == nullptr ? -1 : static_cast<int32_t>(client.transaction->queue.size()),
      kRelaxed);
}

}  // namespace larder
