// Which clients CLIENT LIST and CLIENT KILL mean: ID, TYPE, USER, ADDR, ... and their negations.
//
//   ClientFilter filter;
//   if (!ParseClientFilter(ctx, 2, ClientFilterUse::kList, filter)) return;  // Error replied.
//   if (filter.Matches(record, asking_id, now)) ...
//
// Concurrency: thread-confined; views into the request.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "commands/client.h"
#include "commands/client_info.h"

namespace larder {

class CommandContext;

struct ClientFilter {
  // What a client must be, or, in the second instance, must not be; any one of these excludes it.
  struct Traits {
    std::vector<int64_t> ids;
    std::optional<ClientType> type;
    std::optional<std::string_view> user;
    std::optional<std::string_view> address;
    std::optional<std::string_view> local_address;
    std::optional<std::string_view> ip;
    std::optional<std::string_view> name;
    std::optional<std::string_view> library_name;
    std::optional<std::string_view> library_version;
    std::optional<std::string_view> flags;  // All of these letters.
    std::optional<std::string_view> capabilities;
    std::optional<int64_t> db;
  };
  Traits wanted;
  Traits unwanted;
  std::optional<int64_t> least_age_seconds;
  std::optional<int64_t> least_idle_seconds;
  bool skip_asking = false;

  bool Matches(const ClientRecord& record, uint64_t asking_id, MonoTime now) const;
};

enum class ClientFilterUse : uint8_t { kList, kKill };

// From argument `first` to the last. False if an error was replied.
bool ParseClientFilter(CommandContext& ctx, size_t first, ClientFilterUse use,
                       ClientFilter& filter);

}  // namespace larder
