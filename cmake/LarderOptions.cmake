# Compiler, linker and third-party settings that every target of ours shares: `larder_options`.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_LINK_DEPENDS_NO_SHARED ON)

# --- Third party: Debian 12's packages (scripts/deps.sh installs them) -----------------------------
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(absl REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(PkgConfig REQUIRED)
# Who only wants to run the server need not have these two.
if(LARDER_TESTS)
  find_package(GTest)
  if(NOT GTest_FOUND)
    message(STATUS "No GoogleTest: not building the tests (`make deps` installs it)")
    set(LARDER_TESTS OFF)
  endif()
endif()
if(LARDER_BENCHMARKS)
  find_package(benchmark)
  if(NOT benchmark_FOUND)
    message(STATUS "No Google Benchmark: not building the benchmarks (`make deps` installs it)")
    set(LARDER_BENCHMARKS OFF)
  endif()
endif()
find_path(LARDER_XXHASH_INCLUDE_DIR xxhash.h REQUIRED)
pkg_check_modules(lzf REQUIRED IMPORTED_TARGET liblzf)
if(LARDER_JEMALLOC)
  pkg_check_modules(jemalloc REQUIRED IMPORTED_TARGET jemalloc)
endif()

# --- Static where there is an archive: of a library, a server then holds in memory what it uses, and
# --- takes 10 MB with nothing in it, not 12 ---------------------------------------------------------
if(NOT LARDER_SANITIZERS)
  get_property(imported DIRECTORY PROPERTY IMPORTED_TARGETS)
  foreach(target IN LISTS imported)
    get_target_property(location ${target} LOCATION)
    string(REGEX REPLACE "\\.so[.0-9]*$" ".a" archive "${location}")
    if(target MATCHES "^absl::" AND EXISTS ${archive})
      set_property(TARGET ${target} PROPERTY IMPORTED_LOCATION_NONE ${archive})
    endif()
  endforeach()
  # The one of position-independent code.
  find_library(LARDER_JEMALLOC_ARCHIVE libjemalloc_pic.a)
  if(LARDER_JEMALLOC AND LARDER_JEMALLOC_ARCHIVE)
    set_property(TARGET PkgConfig::jemalloc
      PROPERTY INTERFACE_LINK_LIBRARIES ${LARDER_JEMALLOC_ARCHIVE})
  endif()
endif()

# --- ccache ---------------------------------------------------------------------------------------
find_program(LARDER_CCACHE ccache)
if(LARDER_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Precompiled headers need the sloppiness; the base directory lets clones share the cache.
  set(CMAKE_CXX_COMPILER_LAUNCHER
    ${CMAKE_COMMAND} -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1
    ${LARDER_CCACHE})
endif()

add_library(larder_options INTERFACE)
target_include_directories(larder_options INTERFACE
  ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
target_compile_definitions(larder_options INTERFACE
  LARDER_JEMALLOC=$<BOOL:${LARDER_JEMALLOC}>
  # Asio's implementation is compiled once, in net/asio_impl.cpp.
  BOOST_ASIO_NO_DEPRECATED
  BOOST_ASIO_SEPARATE_COMPILATION)
target_include_directories(larder_options SYSTEM INTERFACE ${LARDER_XXHASH_INCLUDE_DIR})
target_link_libraries(larder_options INTERFACE
  absl::base absl::btree absl::cleanup absl::core_headers absl::fixed_array absl::flat_hash_map
  absl::flat_hash_set absl::function_ref absl::hash absl::inlined_vector absl::int128 absl::node_hash_map
  absl::span absl::status absl::statusor absl::str_format absl::strings
  fmt::fmt spdlog::spdlog Threads::Threads)
if(LARDER_JEMALLOC)
  target_link_libraries(larder_options INTERFACE PkgConfig::jemalloc)
endif()

# --- Code generation ------------------------------------------------------------------------------
target_compile_options(larder_options INTERFACE
  # Profilers and crash reports need the frames; the cost is below what we can measure.
  -fno-omit-frame-pointer
  # Paths in messages and debug information are relative to the project, on every machine the same.
  -ffile-prefix-map=${PROJECT_SOURCE_DIR}/=)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  # SSE4.2 and POPCNT: every x86-64 server since 2009.
  target_compile_options(larder_options INTERFACE -march=x86-64-v2)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1")
target_compile_definitions(larder_options INTERFACE $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)
if(LARDER_SANITIZERS)
  target_compile_options(larder_options INTERFACE
    -fsanitize=${LARDER_SANITIZERS} -fno-sanitize-recover=all)
  target_link_options(larder_options INTERFACE -fsanitize=${LARDER_SANITIZERS})
endif()
if(LARDER_LIBFUZZER)
  target_compile_options(larder_options INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(larder_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(LARDER_LTO)
  target_compile_options(larder_options INTERFACE
    $<$<CXX_COMPILER_ID:GNU>:-flto=auto> $<$<CXX_COMPILER_ID:Clang>:-flto=thin>)
  target_link_options(larder_options INTERFACE
    $<$<CXX_COMPILER_ID:GNU>:-flto=auto> $<$<CXX_COMPILER_ID:Clang>:-flto=thin>)
endif()

# --- Warnings are errors --------------------------------------------------------------------------
target_compile_options(larder_options INTERFACE
  -Wall -Wextra -Werror -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wextra-semi
  # Options structs are filled with designated initialisers that leave the rest at its default.
  -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Two that guess wrong once GCC 12 has inlined: on plain std::string code (GCC bug 105329), and on
  # an index whose invalid value was excluded before. Clang and the sanitizers watch in their stead.
  target_compile_options(larder_options INTERFACE -Wno-restrict -Wno-stringop-overflow)
  # Lets ccache see through precompiled headers.
  target_compile_options(larder_options INTERFACE -fpch-preprocess)
else()
  target_compile_options(larder_options INTERFACE -Wthread-safety)
  # GCC 12's own std::stable_sort uses a function that C++20 deprecates, which clang lays at the
  # caller's door. GCC still says what else is deprecated.
  target_compile_options(larder_options INTERFACE -Wno-deprecated-declarations)
  target_compile_options(larder_options INTERFACE "SHELL:-Xclang -fno-pch-timestamp")
endif()

# --- Linker: lld where there is one (several times faster), the default otherwise -----------------
find_program(LARDER_LLD ld.lld HINTS /usr/lib/llvm-19/bin)
if(LARDER_LLD AND NOT (LARDER_LTO AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU"))
  cmake_path(GET LARDER_LLD PARENT_PATH lld_folder)
  target_link_options(larder_options INTERFACE -fuse-ld=lld -B${lld_folder})
endif()
target_link_options(larder_options INTERFACE -Wl,--as-needed)

# --- Precompiled headers: one with the standard library, one with Asio on top, one for tests ------
function(larder_precompiled name)
  file(WRITE ${PROJECT_BINARY_DIR}/pch/${name}.cpp.new "// Carries the precompiled header.\n")
  file(COPY_FILE ${PROJECT_BINARY_DIR}/pch/${name}.cpp.new ${PROJECT_BINARY_DIR}/pch/${name}.cpp
    ONLY_IF_DIFFERENT)
  add_library(larder_pch_${name} OBJECT ${PROJECT_BINARY_DIR}/pch/${name}.cpp)
  target_link_libraries(larder_pch_${name} PRIVATE larder_options)
  target_precompile_headers(larder_pch_${name} PRIVATE ${ARGN})
endfunction()

set(standard_headers
  <algorithm> <array> <atomic> <bit> <charconv> <chrono> <cstddef> <cstdint> <cstring> <deque>
  <functional> <limits> <map> <memory> <optional> <span> <string> <string_view> <tuple>
  <type_traits> <unordered_map> <utility> <variant> <vector>
  <absl/container/flat_hash_map.h> <absl/status/statusor.h> <absl/strings/string_view.h>)
larder_precompiled(standard ${standard_headers})
larder_precompiled(asio ${standard_headers} <boost/asio.hpp>)
