// Checks for what only a programming error can break; never for what a client, peer or file sends.
//
//   LARDER_CHECK(x)   always on: prints the expression and aborts.
//   LARDER_DCHECK(x)  the same in builds without NDEBUG; elsewhere not evaluated.
#pragma once

namespace larder {

[[noreturn]] void CheckFailed(const char* expression, const char* file, int line);

}  // namespace larder

#define LARDER_CHECK(expression) \
  ((expression) ? (void)0 : ::larder::CheckFailed(#expression, __FILE__, __LINE__))

#ifdef NDEBUG
#define LARDER_DCHECK(expression) ((void)sizeof(static_cast<bool>(expression)))
#else
#define LARDER_DCHECK(expression) LARDER_CHECK(expression)
#endif
