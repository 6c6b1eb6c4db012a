#include "server/wait_table.h"

#include "base/check.h"

namespace larder {

void WaitTable::Add(const std::shared_ptr<Waiter>& waiter, Waiter::Key& key) {
  std::unique_ptr<Line>& line = lines_[DatabaseKey(waiter->client.db, key.text)];
  if (line == nullptr) line = std::make_unique<Line>();
  key.place = line->waiters.insert(line->waiters.end(), waiter);
  line->spanning += waiter->spans_shards();
  line->when_deleted += waiter->when_deleted;
}

void WaitTable::Remove(const Waiter& waiter, const Waiter::Key& key) {
  const auto found = lines_.find(DatabaseKey(waiter.client.db, key.text));
  LARDER_DCHECK(found != lines_.end());
  Line& line = *found->second;
  line.spanning -= waiter.spans_shards();
  line.when_deleted -= waiter.when_deleted;
  line.waiters.erase(key.place);
  if (line.waiters.empty()) lines_.erase(found);
}

WaitTable::Line* WaitTable::Find(int db, std::string_view key) {
  if (lines_.empty()) return nullptr;
  const auto found = lines_.find(DatabaseKey(db, key));
  return found == lines_.end() ? nullptr : found->second.get();
}

}  // namespace larder
