// A small chart of characters: one column a value, a label below each, as LATENCY GRAPH draws.
#pragma once

#include <span>
#include <string>

namespace larder {

struct SparkColumn {
  double value = 0;
  std::string label;  // Written downwards.
};

// Four rows of chart, lines ended by '\n', then the labels. The lowest value stands on the lowest
// row, the highest reaches the top.
std::string DrawSparkline(std::span<const SparkColumn> columns);

}  // namespace larder
