# `header_check` compiles every header of ours alone, without a precompiled header that would hide a
# missing include. Clang only (it is the faster front end); part of the default build of preset
# `clang`, on demand elsewhere.
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  return()
endif()

set(units "")
foreach(folder base protocol storage eviction commands persistence net cluster server tests)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}
    ${PROJECT_SOURCE_DIR}/${folder}/*.h)
  foreach(header IN LISTS headers)
    set(unit ${PROJECT_BINARY_DIR}/header_check/${header}.cpp)
    if(NOT EXISTS ${unit})
      # Twice, so that a header without `#pragma once` fails too.
      file(WRITE ${unit} "#include \"${header}\"\n#include \"${header}\"  // NOLINT\n")
    endif()
    list(APPEND units ${unit})
  endforeach()
endforeach()
if(units)
  add_library(header_check OBJECT EXCLUDE_FROM_ALL ${units})
  target_link_libraries(header_check PRIVATE larder_options)
  if(LARDER_TESTS)
    target_link_libraries(header_check PRIVATE GTest::gtest GTest::gmock)
  endif()
  target_compile_options(header_check PRIVATE -O0 -g0)
  if(LARDER_SANITIZERS)
    target_compile_options(header_check PRIVATE -fno-sanitize=all)
  endif()
  if(LARDER_HEADER_CHECK)
    set_target_properties(header_check PROPERTIES EXCLUDE_FROM_ALL OFF)
  endif()
endif()
