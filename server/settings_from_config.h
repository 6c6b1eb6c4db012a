// Chooses from the configuration what commands read.
#pragma once

#include "commands/settings.h"
#include "server/config.h"

namespace larder {

Settings SettingsFromConfig(const Config& config);

}  // namespace larder
