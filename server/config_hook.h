// What has to happen outside the configuration when a directive changes.
#pragma once

#include <cstdint>

namespace larder {

// The row of a directive names one; the part of the server that can do it registers an applier.
enum class ConfigHook : uint8_t {
  kNone,
  kListen,       // bind, port, protected-mode: close and open listeners.
  kMaxClients,   // maxclients: raise the limit on open files.
  kMaxMemory,    // maxmemory, maxmemory-policy and what belongs to them.
  kLogging,      // loglevel.
  kPassword,     // requirepass.
  kTimer,        // hz, dynamic-hz.
  kDirectory,    // dir: change to it.
  kProcTitle,    // proc-title-template.
  kOomScore,     // oom-score-adj, oom-score-adj-values.
  kSlowLog,      // slowlog-max-len.
  kLatency,      // latency-tracking: forget histograms when it goes off.
  kAclLog,       // acllog-max-len.
  kTracking,     // tracking-table-max-keys.
  kStampede,     // stampede-rule: let those load who now may.
  kPersistence,  // save, appendonly and what belongs to them.
};

}  // namespace larder
