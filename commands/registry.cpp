#include "commands/command_table.h"
#include "commands/families.h"

namespace larder {

std::span<const CommandFamily> AllCommandFamilies() {
  // A function-local copy: the families are constants of other files, initialised at compile time.
  static const std::vector<CommandFamily> families = {
      // Each family adds its line here once its table is defined.
      kClientFamily,        kCommandFamily, kConfigFamily,      kConnectionFamily,  kDatabaseFamily,
      kDebugFamily,         kExpireFamily,  kGenericFamily,     kLatencyFamily,     kMemoryFamily,
      kObjectFamily,        kPubSubFamily,  kScanFamily,        kServerFamily,      kSlowLogFamily,
      kStringCounterFamily, kStringFamily,  kStringRangeFamily, kTransactionFamily,
  };
  return families;
}

}  // namespace larder
