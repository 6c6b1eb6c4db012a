// What SORT's BY and GET name: a key, or a field of a hash, for each element.
//
//   weight_*         the string at that key, the asterisk replaced by the element
//   object_*->field  a field of the hash at that key
//   #                the element itself
//
// A pattern without an asterisk names nothing.
//
// Concurrency: immutable after construction. Views the text that it was made of.
#pragma once

#include <string>
#include <string_view>

namespace larder {

class SortPattern {
 public:
  explicit SortPattern(std::string_view text);

  bool is_element() const { return is_element_; }
  bool names_keys() const { return names_keys_; }

  // The key for an element, made in `buffer`. REQUIRES: names_keys().
  std::string_view KeyOf(std::string_view element, std::string& buffer) const;
  // The field to be read there; empty: the key is that of a string.
  std::string_view field() const { return field_; }

 private:
  bool is_element_ = false;
  bool names_keys_ = false;
  std::string_view before_;
  std::string_view after_;
  std::string_view field_;
};

}  // namespace larder
