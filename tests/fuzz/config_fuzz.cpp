// The configuration takes any bytes: loading arbitrary text, asking for everything and rewriting
// must not crash, and what is printed and rewritten must read back as it was.
//
// Lines that would touch the machine that fuzzes (include, dir) are left out.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/text.h"
#include "server/config_file.h"
#include "server/config_loader.h"
#include "server/config_registry.h"
#include "server/config_text.h"

namespace larder {
namespace {

bool TouchesFiles(std::string_view line) {
  const auto words = SplitConfigLine(TrimConfigLine(line));
  if (!words || words->empty()) return false;
  return EqualsIgnoreCase((*words)[0], "include") || EqualsIgnoreCase((*words)[0], "dir");
}

// Loads line by line, so that one bad line does not hide the rest.
Config LoadWhatIsValid(std::string_view text) {
  Config config = DefaultConfig();
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    ConfigLoader loader(config);
    if (!TouchesFiles(line) && loader.LoadText(line, "fuzz.conf").ok()) config = loader.config();
    loader.TakeWarnings();
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return config;
}

void CheckValuesReadBack(const Config& config) {
  for (const Directive& directive : AllDirectives()) {
    if (directive.Is(kFileOnly) || directive.name == "dir") continue;
    const std::string shown = PrintDirective(directive, config);
    const bool no_words = shown.empty() && directive.Is(kWords);
    const ConfigWords words = no_words ? ConfigWords() : ConfigWords(&shown, 1);
    Config again = DefaultConfig();
    LARDER_CHECK(SetDirective(directive, words, ConfigSource::kSet, again).ok());
    LARDER_CHECK(PrintDirective(directive, again) == shown);
  }
}

void CheckRewriteReadsBack(std::string_view text, const Config& config) {
  const std::string rewritten = RewriteConfigText(text, config);
  const Config again = LoadWhatIsValid(rewritten);
  for (const Directive& directive : AllDirectives()) {
    if (directive.Is(kFileOnly) || directive.name == "dir") continue;
    LARDER_CHECK(PrintDirective(directive, again) == PrintDirective(directive, config));
  }
  LARDER_CHECK(RewriteConfigText(rewritten, again) == rewritten);
}

}  // namespace
}  // namespace larder

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const larder::Config config = larder::LoadWhatIsValid(text);
  larder::CheckValuesReadBack(config);
  larder::CheckRewriteReadsBack(text, config);
  return 0;
}
