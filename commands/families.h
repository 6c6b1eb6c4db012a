// The tables of all command families. A new family is a line here and one in registry.cpp.
#pragma once

#include "commands/command_spec.h"

namespace larder {

extern const CommandFamily kBitfieldFamily;
extern const CommandFamily kBitmapFamily;
extern const CommandFamily kBlessFamily;
extern const CommandFamily kCacheFamily;
extern const CommandFamily kCachePrefixFamily;
extern const CommandFamily kClientFamily;
extern const CommandFamily kCommandFamily;
extern const CommandFamily kConfigFamily;
extern const CommandFamily kConnectionFamily;
extern const CommandFamily kDatabaseFamily;
extern const CommandFamily kDebugFamily;
extern const CommandFamily kDumpFamily;
extern const CommandFamily kExpireFamily;
extern const CommandFamily kGenericFamily;
extern const CommandFamily kGeoFamily;
extern const CommandFamily kGeoSearchFamily;
extern const CommandFamily kHashCounterFamily;
extern const CommandFamily kHashExpireFamily;
extern const CommandFamily kHashFamily;
extern const CommandFamily kHashImportFamily;
extern const CommandFamily kHashSampleFamily;
extern const CommandFamily kHashTimedFamily;
extern const CommandFamily kHyperLogLogFamily;
extern const CommandFamily kLatencyFamily;
extern const CommandFamily kListFamily;
extern const CommandFamily kListMoveFamily;
extern const CommandFamily kListPopFamily;
extern const CommandFamily kMemoryFamily;
extern const CommandFamily kObjectFamily;
extern const CommandFamily kPubSubFamily;
extern const CommandFamily kScanFamily;
extern const CommandFamily kServerFamily;
extern const CommandFamily kSetAlgebraFamily;
extern const CommandFamily kSetFamily;
extern const CommandFamily kSetRandomFamily;
extern const CommandFamily kSlowLogFamily;
extern const CommandFamily kSortFamily;
extern const CommandFamily kSortedSetAlgebraFamily;
extern const CommandFamily kSortedSetFamily;
extern const CommandFamily kSortedSetPopFamily;
extern const CommandFamily kSortedSetRangeFamily;
extern const CommandFamily kStampedeFamily;
extern const CommandFamily kStampedeRuleFamily;
extern const CommandFamily kStreamFamily;
extern const CommandFamily kStreamGroupFamily;
extern const CommandFamily kStreamIdempotenceFamily;
extern const CommandFamily kStreamInfoFamily;
extern const CommandFamily kStreamPendingFamily;
extern const CommandFamily kStreamReadFamily;
extern const CommandFamily kStringCounterFamily;
extern const CommandFamily kStringFamily;
extern const CommandFamily kStringRangeFamily;
extern const CommandFamily kTransactionFamily;

}  // namespace larder
