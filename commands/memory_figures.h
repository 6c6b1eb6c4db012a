// What the process holds of memory, as INFO and MEMORY STATS put it.
#pragma once

#include <cstdint>

#include "base/allocator.h"

namespace larder {

// What only the server knows.
struct ProcessMemory {
  int64_t startup_bytes = 0;  // Allocated when the server began to accept clients.
  int64_t peak_bytes = 0;     // The most that was allocated at any look so far.
  int64_t client_bytes = 0;   // Buffers and state of the connections.
  int64_t used_bytes = 0;     // Allocated, before the figures themselves took some.
};

struct MemoryFigures {
  int64_t used_bytes = 0;
  int64_t peak_bytes = 0;
  int64_t startup_bytes = 0;
  int64_t client_bytes = 0;
  int64_t table_bytes = 0;  // The hash tables of all databases, without entries.
  int64_t keys = 0;
  int64_t resident_bytes = 0;  // Of the process, as the operating system sees it.
  AllocatorStats allocator;

  // Everything that is not keys and values.
  int64_t overhead_bytes() const { return startup_bytes + client_bytes + table_bytes; }
  int64_t dataset_bytes() const {
    return used_bytes > overhead_bytes() ? used_bytes - overhead_bytes() : 0;
  }
  // Of what has been allocated since the start.
  double dataset_percent() const;
  double peak_percent() const;
  int64_t bytes_per_key() const;
  // Each of these compares two layers: what the program holds, the pages it stands on, what is
  // resident of those, and the whole process.
  double allocator_fragmentation_ratio() const;
  double allocator_resident_ratio() const;
  double resident_overhead_ratio() const;
  double fragmentation_ratio() const;
  int64_t allocator_fragmentation_bytes() const;
  int64_t allocator_resident_overhead_bytes() const;
  int64_t resident_overhead_bytes() const;
  int64_t fragmentation_bytes() const;
};

// Asks allocator and operating system. Any thread.
MemoryFigures CollectMemory(const ProcessMemory& process, int64_t keys, int64_t table_bytes);

// Of the process, as the operating system sees it; asks the allocator nothing.
int64_t ResidentBytes();

// Of the machine; 0 if that cannot be told.
int64_t TotalSystemMemory();

}  // namespace larder
