#include "benchmarks/eviction/trace.h"

#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <numeric>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"

namespace larder {
namespace {

struct PipeCloser {
  void operator()(FILE* pipe) const { pclose(pipe); }
};

// As one word of a shell's command.
std::string Quoted(const std::string& text) {
  std::string quoted = "'";
  for (char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace

uint64_t Trace::FootprintBytes() const {
  return std::accumulate(size_bytes.begin(), size_bytes.end(), uint64_t{0});
}

absl::StatusOr<Trace> ReadTrace(const std::string& path) {
  const std::string command = "zstd -dcq " + Quoted(path);
  const std::unique_ptr<FILE, PipeCloser> pipe(popen(command.c_str(), "r"));
  if (pipe == nullptr) return absl::UnavailableError("cannot run zstd");
  Trace trace;
  trace.name = std::filesystem::path(path).stem().stem().string();
  absl::flat_hash_map<uint64_t, uint32_t> numbers;
  char line[64];
  while (fgets(line, sizeof(line), pipe.get()) != nullptr) {
    uint64_t key = 0;
    uint32_t size = 0;
    const int fields = sscanf(line, "%" SCNu64 " %" SCNu32, &key, &size);
    if (fields < 1) return absl::InvalidArgumentError(path + ": not a request: " + line);
    const auto [number, is_new] = numbers.try_emplace(key, static_cast<uint32_t>(numbers.size()));
    trace.requests.push_back(number->second);
    if (is_new && fields == 2) trace.size_bytes.push_back(size);
  }
  trace.keys = numbers.size();
  if (trace.requests.empty()) return absl::NotFoundError(path + ": no requests in it");
  if (!trace.size_bytes.empty() && trace.size_bytes.size() != trace.keys) {
    return absl::InvalidArgumentError(path + ": some keys have a size and some have none");
  }
  return trace;
}

}  // namespace larder
