// The checksum of DUMP payloads and RDB files: CRC-64 with Jones' polynomial, reflected, from 0.
//
// Concurrency: safe from any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace larder {

// Of what `crc` is the checksum of, followed by `bytes`.
uint64_t Crc64(std::string_view bytes, uint64_t crc = 0);

}  // namespace larder
