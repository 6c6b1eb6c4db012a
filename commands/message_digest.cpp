#include "commands/message_digest.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "base/check.h"
#include <openssl/evp.h>

namespace larder {
namespace {

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    LARDER_CHECK(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
  }

  // Its length as well, so that it is clear where one text ends and the next begins.
  void AddText(std::string_view text) {
    const uint64_t size = text.size();
    Add(&size, sizeof(size));
    Add(text.data(), text.size());
  }

  MessageDigest Finish() {
    std::array<unsigned char, 32> hash{};
    LARDER_CHECK(EVP_DigestFinal_ex(context_.get(), hash.data(), nullptr) == 1);
    MessageDigest digest;
    std::memcpy(digest.data(), hash.data(), digest.size());
    return digest;
  }

 private:
  void Add(const void* data, size_t size) {
    LARDER_CHECK(EVP_DigestUpdate(context_.get(), data, size) == 1);
  }

  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace

MessageDigest DigestOfMessage(std::span<const std::string_view> fields) {
  std::vector<std::pair<std::string_view, std::string_view>> pairs;
  pairs.reserve(fields.size() / 2);
  for (size_t i = 0; i + 1 < fields.size(); i += 2) pairs.emplace_back(fields[i], fields[i + 1]);
  std::sort(pairs.begin(), pairs.end());
  Sha256 hash;
  for (const auto& [field, value] : pairs) {
    hash.AddText(field);
    hash.AddText(value);
  }
  return hash.Finish();
}

}  // namespace larder
