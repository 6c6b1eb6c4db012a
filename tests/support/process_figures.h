// What the kernel knows of a running server: memory and descriptors; and how far a test may go in
// this build.
//
// Concurrency: stateless.
#pragma once

#include <cstddef>
#include <cstdint>
#include <sys/types.h>

namespace larder {

// Sanitizers cost memory and time: figures of memory mean nothing there, and sizes are smaller.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
inline constexpr bool kSanitized =
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
inline constexpr bool kSanitized = false;
#endif

constexpr int64_t kMebibyte = 1024 * 1024;

// Throw std::runtime_error if there is no such process.
int64_t ResidentBytes(pid_t pid);
int64_t PeakResidentBytes(pid_t pid);
size_t OpenDescriptors(pid_t pid);

// Raises this process's own limit on open files as far as it goes; whether `count` fit.
bool MayOpenDescriptors(size_t count);

}  // namespace larder
