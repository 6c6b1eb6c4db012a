#include "commands/client_name.h"

#include <algorithm>

namespace larder {

bool IsClientText(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '!' && c <= '~'; });
}

std::string ClientName(const ClientRecord& record) {
  MutexLock lock(record.text_mu);
  return record.name;
}

void SetClientName(ClientRecord& record, std::string_view name) {
  MutexLock lock(record.text_mu);
  record.name.assign(name);
}

}  // namespace larder
