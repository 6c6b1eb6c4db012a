#include "commands/thread_counters.h"

namespace larder {

void ThreadCounters::Reset() {
  for (Counter* counter :
       {&connections_received, &connections_rejected, &commands_processed, &net_input_bytes,
        &net_output_bytes, &reads_processed, &writes_processed, &keyspace_hits, &keyspace_misses,
        &expired_keys, &expired_fields, &evicted_keys, &error_replies,
        &query_buffer_limit_disconnections, &output_buffer_limit_disconnections,
        &longest_shard_hold_ns, &longest_shard_hold_wall_ns}) {
    counter->Set(0);
  }
  evictions.Reset();
  by_prefix.Reset();
  for (CommandCounters& command : by_command) {
    for (Counter* counter :
         {&command.calls, &command.nanoseconds, &command.rejected_calls, &command.failed_calls}) {
      counter->Set(0);
    }
    command.latency.Clear();
  }
  if (reset_pending()) pending_resets.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace larder
