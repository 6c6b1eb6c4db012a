#include "protocol/error_text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/printed_text.h"
#include "base/text.h"

namespace larder::error_text {

std::string WrongArity(std::string_view command) {
  return absl::StrCat("ERR wrong number of arguments for '", AsAbsl(command), "' command");
}

std::string InvalidExpire(std::string_view command) {
  return absl::StrCat("ERR invalid expire time in '", AsAbsl(command), "' command");
}

std::string ExecAbortedBecause(std::string_view error) {
  if (error.starts_with("ERR ")) error.remove_prefix(4);
  return absl::StrCat("EXECABORT Transaction discarded because of: ", AsAbsl(error));
}

std::string BitOpNeedsTwoSources(std::string_view operation) {
  return absl::StrCat("ERR BITOP ", AsAbsl(operation),
                      " must be called with at least two source keys.");
}

std::string UnsupportedOption(std::string_view option) {
  return absl::StrCat("ERR Unsupported option ", AsPrinted(option));
}

std::string NoInputKey(std::string_view command) {
  return absl::StrCat("ERR at least 1 input key is needed for '", AsAbsl(command), "' command");
}

std::string InvalidPoint(double longitude, double latitude) {
  return absl::StrFormat("ERR invalid longitude,latitude pair %f,%f", longitude, latitude);
}

std::string NoGeoCenter(std::string_view command) {
  return absl::StrCat("ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for ",
                      AsAbsl(command));
}

std::string NoGeoShape(std::string_view command) {
  return absl::StrCat("ERR exactly one of BYRADIUS and BYBOX can be specified for ",
                      AsAbsl(command));
}

std::string UnknownSubcommand(std::string_view subcommand, std::string_view command) {
  return absl::StrCat("ERR unknown subcommand '", AsPrinted(subcommand.substr(0, 128)), "'. Try ",
                      ToUpper(command), " HELP.");
}

std::string UnknownSubcommandOrArity(std::string_view subcommand, std::string_view command) {
  return absl::StrCat("ERR unknown subcommand or wrong number of arguments for '",
                      AsPrinted(subcommand.substr(0, 128)), "'. Try ", ToUpper(command), " HELP.");
}

std::string OnlyInPubSub(std::string_view command) {
  return absl::StrCat("ERR Can't execute '", AsAbsl(command),
                      "': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed "
                      "in this context");
}

}  // namespace larder::error_text
