#include "commands/sparkline.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <vector>

namespace larder {
namespace {

constexpr size_t kRows = 4;
// A character shows where in its row the value ends: at the bottom, in the middle, at the top.
constexpr std::string_view kMarks = "_o#";

void AppendLine(std::string& out, const std::string& line) {
  out += line;
  out += '\n';
}

}  // namespace

std::string DrawSparkline(std::span<const SparkColumn> columns) {
  if (columns.empty()) return {};
  double low = columns[0].value;
  double high = columns[0].value;
  size_t label_rows = 0;
  for (const SparkColumn& column : columns) {
    low = std::min(low, column.value);
    high = std::max(high, column.value);
    label_rows = std::max(label_rows, column.label.size());
  }
  const double range = high > low ? high - low : 1;
  const size_t levels = kRows * kMarks.size();

  std::vector<size_t> level_of;
  for (const SparkColumn& column : columns) {
    const double share = (column.value - low) / range;
    level_of.push_back(static_cast<size_t>(std::lround(share * static_cast<double>(levels - 1))));
  }

  std::string out;
  std::string line(columns.size(), ' ');
  for (size_t row = kRows; row-- > 0;) {
    for (size_t i = 0; i < columns.size(); ++i) {
      const size_t top_row = level_of[i] / kMarks.size();
      line[i] = row > top_row ? ' ' : row < top_row ? '|' : kMarks[level_of[i] % kMarks.size()];
    }
    AppendLine(out, line);
  }
  AppendLine(out, std::string(columns.size(), ' '));
  for (size_t row = 0; row < label_rows; ++row) {
    for (size_t i = 0; i < columns.size(); ++i) {
      line[i] = row < columns[i].label.size() ? columns[i].label[row] : ' ';
    }
    AppendLine(out, line);
  }
  return out;
}

}  // namespace larder
