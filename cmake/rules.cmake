# cohort_library(NAME SOURCES a.cc … LINKS x …)      the target cohort_NAME of a folder
# cohort_test(NAME [OPTIMIZED] SOURCES a_test.cc … LINKS x …)
#                                                    one test program for a folder: cohort_NAME_test

add_library(cohort_options INTERFACE)
target_include_directories(cohort_options INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_options(cohort_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wnon-virtual-dtor -Wold-style-cast
  -Woverloaded-virtual -Werror)
# g++ 12 warns at -O2 and above of strings that overlap themselves wherever a literal is put before a string, which
# cannot be (GCC bug 105329, mended in 13).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(cohort_options INTERFACE -Wno-restrict)
endif()
target_compile_definitions(cohort_options INTERFACE
  COHORT_VERSION="${PROJECT_VERSION}"
  $<$<BOOL:${COHORT_KILL_POINTS}>:COHORT_KILL_POINTS>)
if(COHORT_SANITIZE)
  target_compile_options(cohort_options INTERFACE -fsanitize=${COHORT_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(cohort_options INTERFACE -fsanitize=${COHORT_SANITIZE})
  # A finding ends the program, whatever UBSAN_OPTIONS say: otherwise only its text would tell, which no one reads of a
  # program that succeeds.
  if(COHORT_SANITIZE MATCHES "undefined")
    target_compile_options(cohort_options INTERFACE -fno-sanitize-recover=undefined)
  endif()
  # The checks that sanitizers put in hide from g++ that something has been set.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(cohort_options INTERFACE -Wno-maybe-uninitialized)
  endif()
  # g++ has no fences for the thread sanitizer, and Asio hands work over under a lock, too.
  if(COHORT_SANITIZE STREQUAL "thread")
    target_compile_definitions(cohort_options INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
  endif()
endif()

function(cohort_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(cohort_${name} STATIC ${ARG_SOURCES})
  target_link_libraries(cohort_${name} PUBLIC cohort_options ${ARG_LINKS} PRIVATE ${ARG_PRIVATE_LINKS})
endfunction()

function(cohort_test name)
  if(NOT COHORT_TESTS)
    return()
  endif()
  cmake_parse_arguments(ARG "OPTIMIZED" "" "SOURCES;LINKS" ${ARGN})
  add_executable(cohort_${name}_test ${ARG_SOURCES})
  # GoogleTest's macros take twice as long to compile when they are optimized. A program whose tests compute much says
  # OPTIMIZED: its own copies of what headers define are those that the libraries use, too.
  if(NOT ARG_OPTIMIZED)
    target_compile_options(cohort_${name}_test PRIVATE -O0)
  endif()
  target_link_libraries(cohort_${name}_test PRIVATE ${ARG_LINKS} GTest::gtest_main GTest::gmock)
  add_test(NAME ${name} COMMAND cohort_${name}_test)
  set_tests_properties(${name} PROPERTIES TIMEOUT 300)
endfunction()
