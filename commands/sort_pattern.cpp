#include "commands/sort_pattern.h"

namespace larder {

SortPattern::SortPattern(std::string_view text) : is_element_(text == "#") {
  // As in Redis nothing is looked for behind a zero byte.
  const std::string_view searched = text.substr(0, text.find('\0'));
  const size_t asterisk = searched.find('*');
  if (asterisk == std::string_view::npos) return;
  names_keys_ = true;
  before_ = text.substr(0, asterisk);
  after_ = text.substr(asterisk + 1);
  const size_t arrow = searched.find("->", asterisk + 1);
  if (arrow == std::string_view::npos || arrow + 2 >= searched.size()) return;
  after_ = text.substr(asterisk + 1, arrow - asterisk - 1);
  field_ = text.substr(arrow + 2);
}

std::string_view SortPattern::KeyOf(std::string_view element, std::string& buffer) const {
  buffer.assign(before_);
  buffer.append(element);
  buffer.append(after_);
  return buffer;
}

}  // namespace larder
