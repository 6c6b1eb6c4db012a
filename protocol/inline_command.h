// Inline commands: a line typed by hand (telnet, nc, health checks) instead of a RESP array.
#pragma once

#include <string_view>

namespace larder {

struct Request;

// Splits `line`, without its end, into request.args. Arguments are divided by blanks; one in double
// quotes knows \n \r \t \b \a \xHH and \ before any other character, one in single quotes only \'.
// A closing quote must end the argument. False if quotes do not balance.
//
// Concurrency: safe from any thread.
bool SplitInlineCommand(std::string_view line, Request& request);

}  // namespace larder
