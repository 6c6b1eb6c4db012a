// Keep the straight path straight where an absl::Status can come back.
#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define LARDER_RETURN_IF_ERROR(expression)                                                    \
  do {                                                                                        \
    if (absl::Status larder_status = (expression); !larder_status.ok()) return larder_status; \
  } while (false)

#define LARDER_STATUS_CONCAT_INNER(a, b) a##b
#define LARDER_STATUS_CONCAT(a, b) LARDER_STATUS_CONCAT_INNER(a, b)
#define LARDER_ASSIGN_OR_RETURN_INNER(result, target, expression) \
  auto result = (expression);                                     \
  if (!result.ok()) return std::move(result).status();            \
  target = *std::move(result)

// LARDER_ASSIGN_OR_RETURN(const Config config, LoadConfig(path));
#define LARDER_ASSIGN_OR_RETURN(target, expression)                                        \
  LARDER_ASSIGN_OR_RETURN_INNER(LARDER_STATUS_CONCAT(larder_status_or_, __LINE__), target, \
                                expression)
