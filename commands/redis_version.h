// The version of Redis that Larder is compatible with, as INFO, HELLO and LOLWUT tell clients,
// which choose what they send by it.
#pragma once

#include <string_view>

namespace larder {

inline constexpr std::string_view kRedisVersion = "7.0.15";

}  // namespace larder
