// What LOLWUT answers: a picture made of characters, of no use but joy.
#pragma once

#include <cstdint>
#include <string>

namespace larder {

class Random;

struct LolwutOptions {
  int columns = 64;
  int rows = 16;
  int jars = 5;
};

// Shelves with jars, differently filled at each call. Lines end in '\n'.
std::string DrawLarder(const LolwutOptions& options, Random& random);

}  // namespace larder
