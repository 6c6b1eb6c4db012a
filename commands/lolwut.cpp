#include "commands/lolwut.h"

#include <algorithm>
#include <vector>

#include "base/random.h"

namespace larder {
namespace {

constexpr int kShelfRows = 8;     // A shelf and the jars on it.
constexpr int kSlotColumns = 12;  // A jar and the air beside it.

class Canvas {
 public:
  Canvas(int columns, int rows)
      : lines_(static_cast<size_t>(rows), std::string(static_cast<size_t>(columns), ' ')) {}

  int rows() const { return static_cast<int>(lines_.size()); }
  int columns() const { return lines_.empty() ? 0 : static_cast<int>(lines_[0].size()); }

  // What lies outside is cut off.
  void Put(int row, int column, char c) {
    if (row < 0 || row >= rows() || column < 0 || column >= columns()) return;
    lines_[static_cast<size_t>(row)][static_cast<size_t>(column)] = c;
  }
  void Line(int row, int column, int length, char c) {
    for (int i = 0; i < length; ++i) Put(row, column + i, c);
  }
  std::string Text() const {
    std::string text;
    for (const std::string& line : lines_) {
      text.append(line, 0, line.find_last_not_of(' ') + 1);
      text += '\n';
    }
    return text;
  }

 private:
  std::vector<std::string> lines_;
};

// A jar that stands on row `bottom`, filled to a random height with something.
void DrawJar(Canvas& canvas, int bottom, int left, Random& random) {
  constexpr char kContents[] = {'.', ':', 'o', '%', '#', '*', '~', '+'};
  const int height = 3 + static_cast<int>(random.Uniform(3));
  const int width = 6 + static_cast<int>(random.Uniform(4));
  const int fill = static_cast<int>(random.Uniform(static_cast<uint64_t>(height)));
  const char content = kContents[random.Uniform(sizeof(kContents))];
  const int top = bottom - height;
  canvas.Line(top - 1, left + 1, width - 2, '_');
  for (int row = top; row <= bottom; ++row) {
    canvas.Put(row, left, '|');
    canvas.Put(row, left + width - 1, '|');
    if (row >= bottom - fill) canvas.Line(row, left + 1, width - 2, content);
  }
  canvas.Put(top, left, '(');
  canvas.Put(top, left + width - 1, ')');
}

}  // namespace

std::string DrawLarder(const LolwutOptions& options, Random& random) {
  const int columns = std::clamp(options.columns, 1, 1000);
  const int rows = std::clamp(options.rows, 1, 200);
  Canvas canvas(columns, rows);
  const int slots = std::max(1, columns / kSlotColumns);
  const int shelves = std::max(1, rows / kShelfRows);
  for (int shelf = 0; shelf < shelves; ++shelf) {
    canvas.Line(std::min(rows, (shelf + 1) * kShelfRows) - 1, 0, columns, '=');
  }
  for (int jar = 0; jar < std::clamp(options.jars, 0, slots * shelves); ++jar) {
    const int slot = (jar * 7 + static_cast<int>(random.Uniform(2))) % slots;
    const int shelf = jar % shelves;
    DrawJar(canvas, (shelf + 1) * kShelfRows - 2, slot * kSlotColumns + 1, random);
  }
  return canvas.Text();
}

}  // namespace larder
