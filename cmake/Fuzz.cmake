# Fuzz.cmake - the target fuzz: one libFuzzer program per fuzz/fuzz_*.c. Configure with clang and
# SANITIZE=address,undefined; the library is then compiled with coverage for the fuzzer, too.

if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "BUILD_FUZZ needs clang: -DCMAKE_C_COMPILER=clang")
endif()

foreach(target cenote_objects cenote_avx2 cenote_avx512)
    if(TARGET ${target})
        target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
    endif()
endforeach()
target_link_options(cenote_shared PRIVATE -fsanitize=fuzzer-no-link)
if(TARGET cenote_program)
    target_link_options(cenote_program PRIVATE -fsanitize=fuzzer-no-link)
endif()

file(GLOB fuzz_sources CONFIGURE_DEPENDS fuzz/fuzz_*.c)
add_custom_target(fuzz)
foreach(source IN LISTS fuzz_sources)
    cmake_path(GET source STEM name)
    add_executable(${name} EXCLUDE_FROM_ALL ${source})
    cenote_user(${name})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz)
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/fuzz)
    # libFuzzer calls this function by its name, so it has no prototype of ours.
    target_compile_options(${name} PRIVATE -fsanitize=fuzzer -Wno-missing-prototypes)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    target_link_libraries(${name} PRIVATE cenote_models cenote_static cenote_dependencies)
    add_dependencies(fuzz ${name})
endforeach()
