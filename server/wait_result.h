// What a client that waited for keys gets, on its way from the thread that served it to the one
// that owns its connection.
#pragma once

#include <memory>
#include <vector>

#include "eviction/lease_table.h"
#include "protocol/output_buffer.h"

namespace larder {

struct WaitResult {
  std::vector<OutputBuffer::Piece> reply;
  // What it holds from now on. If the client is gone, nobody does.
  std::vector<std::shared_ptr<Lease>> leases;
};

}  // namespace larder
