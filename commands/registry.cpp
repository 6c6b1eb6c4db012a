#include "commands/command_table.h"
#include "commands/families.h"

namespace larder {

std::span<const CommandFamily> AllCommandFamilies() {
  // A function-local copy: the families are constants of other files, initialised at compile time.
  // clang-format off
  static const std::vector<CommandFamily> families = {
      // Each family adds its line here once its table is defined.
      kBitfieldFamily,
      kBitmapFamily,
      kBlessFamily,
      kCacheFamily,
      kCachePrefixFamily,
      kClientFamily,
      kCommandFamily,
      kConfigFamily,
      kConnectionFamily,
      kDatabaseFamily,
      kDebugFamily,
      kDumpFamily,
      kExpireFamily,
      kGenericFamily,
      kGeoFamily,
      kGeoSearchFamily,
      kHashCounterFamily,
      kHashExpireFamily,
      kHashFamily,
      kHashImportFamily,
      kHashSampleFamily,
      kHashTimedFamily,
      kHyperLogLogFamily,
      kLatencyFamily,
      kListFamily,
      kListMoveFamily,
      kListPopFamily,
      kMemoryFamily,
      kObjectFamily,
      kPubSubFamily,
      kScanFamily,
      kServerFamily,
      kSetAlgebraFamily,
      kSetFamily,
      kSetRandomFamily,
      kSlowLogFamily,
      kSortFamily,
      kSortedSetAlgebraFamily,
      kSortedSetFamily,
      kSortedSetPopFamily,
      kSortedSetRangeFamily,
      kStampedeFamily,
      kStampedeRuleFamily,
      kStreamFamily,
      kStreamGroupFamily,
      kStreamIdempotenceFamily,
      kStreamInfoFamily,
      kStreamPendingFamily,
      kStreamReadFamily,
      kStringCounterFamily,
      kStringFamily,
      kStringRangeFamily,
      kTransactionFamily,
  };
  // clang-format on
  return families;
}

}  // namespace larder
