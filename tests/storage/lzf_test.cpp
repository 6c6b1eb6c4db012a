#include "storage/lzf.h"

#include <string>

#include "base/random.h"
#include <gtest/gtest.h>

namespace larder {
namespace {

TEST(LzfTest, WhatIsCompressedComesBack) {
  Random random(1);
  for (const size_t size : {5u, 100u, 8192u, 100000u}) {
    std::string text;
    while (text.size() < size) text += std::string(random.Uniform(20), 'a' + random.Uniform(3));
    std::string compressed(text.size(), '\0');
    const size_t written = LzfCompress(text, compressed.data(), compressed.size());
    ASSERT_GT(written, 0u);
    compressed.resize(written);
    std::string back(text.size(), '\0');
    EXPECT_TRUE(LzfDecompress(compressed, back.data(), back.size()));
    EXPECT_EQ(back, text);
    // A size that is not the right one.
    EXPECT_FALSE(LzfDecompress(compressed, back.data(), back.size() - 1));
    back.resize(text.size() + 1);
    EXPECT_FALSE(LzfDecompress(compressed, back.data(), back.size()));
  }
}

TEST(LzfTest, SaysSoWhenNothingIsGained) {
  Random random(2);
  std::string noise(1000, '\0');
  for (char& c : noise) c = static_cast<char>(random.Next());
  std::string out(noise.size(), '\0');
  EXPECT_EQ(LzfCompress(noise, out.data(), out.size()), 0u);
  EXPECT_EQ(LzfCompress("", out.data(), out.size()), 0u);
  EXPECT_EQ(LzfCompress("aaaaaaaaaaaa", out.data(), 0), 0u);
}

TEST(LzfTest, RefusesWhatIsCorrupt) {
  char out[100];
  EXPECT_FALSE(LzfDecompress("", out, sizeof(out)));
  EXPECT_FALSE(LzfDecompress("\xff\xff\xff", out, sizeof(out)));  // Refers to what is not there.
  EXPECT_FALSE(LzfDecompress("\x1f", out, sizeof(out)));          // Announces more than follows.
}

}  // namespace
}  // namespace larder
