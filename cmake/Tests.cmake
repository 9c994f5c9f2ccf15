# Tests.cmake - the targets tests, examples and bench: one program per source file.
#
# A new file in tests/, examples/ or bench/ is built because it exists. Sources in tests/ and its folders
# that have no main() are parts of tests, linked into those that use them. Nothing here is part of `all`.

function(program_per_source target folder sources libraries)
    add_custom_target(${target})
    foreach(source IN LISTS sources)
        cmake_path(RELATIVE_PATH source BASE_DIRECTORY ${PROJECT_SOURCE_DIR}/${folder} OUTPUT_VARIABLE name)
        cmake_path(REMOVE_EXTENSION name)
        cmake_path(GET name PARENT_PATH subfolder)
        cmake_path(GET name FILENAME output)
        string(REPLACE "/" "_" id ${target}_${name})
        add_executable(${id} EXCLUDE_FROM_ALL ${source})
        cenote_user(${id})
        set_target_properties(${id} PROPERTIES OUTPUT_NAME ${output}
            RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/${folder}/${subfolder})
        target_link_libraries(${id} PRIVATE ${libraries} m)
        if(NOT folder STREQUAL "examples")
            target_include_directories(${id} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/${folder})
        endif()
        add_dependencies(${target} ${id})
    endforeach()
endfunction()

file(GLOB all_sources CONFIGURE_DEPENDS tests/*.c tests/*/*.c)
foreach(backend SIMD ONEDNN)
    if(NOT CENOTE_HAVE_${backend})
        string(TOLOWER "/tests/${backend}/" folder)
        list(FILTER all_sources EXCLUDE REGEX "${folder}")
    endif()
endforeach()
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${all_sources})
set(test_sources)
set(helper_sources)
foreach(source IN LISTS all_sources)
    file(STRINGS ${source} main REGEX "^int main\\(")
    if(main)
        list(APPEND test_sources ${source})
    else()
        list(APPEND helper_sources ${source})
    endif()
endforeach()

# Without cmocka everything but the tests can still be built.
pkg_check_modules(CMOCKA IMPORTED_TARGET QUIET cmocka>=1.1)

# Tests may look inside: they link the static library, where hidden symbols can be reached.
set(test_libraries cenote_models cenote_static cenote_dependencies)
if(helper_sources)
    add_library(cenote_test_helpers STATIC EXCLUDE_FROM_ALL ${helper_sources})
    cenote_user(cenote_test_helpers)
    target_include_directories(cenote_test_helpers PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/tests)
    target_link_libraries(cenote_test_helpers PRIVATE cenote_dependencies $<TARGET_NAME_IF_EXISTS:PkgConfig::CMOCKA>)
    list(PREPEND test_libraries cenote_test_helpers)
endif()

if(CMOCKA_FOUND)
    program_per_source(tests tests "${test_sources}" "${test_libraries};PkgConfig::CMOCKA")
else()
    add_custom_target(tests COMMAND ${CMAKE_COMMAND} -E echo "tests need cmocka: apt-get install libcmocka-dev"
        COMMAND ${CMAKE_COMMAND} -E false)
endif()

# The runner reads which programs this build should have: one that is missing counts as failed.
list(TRANSFORM test_sources REPLACE "^${PROJECT_SOURCE_DIR}/(.*)\\.c$" "\\1" OUTPUT_VARIABLE test_programs)
list(JOIN test_programs "\n" test_programs)
file(WRITE ${PROJECT_BINARY_DIR}/tests.list "${test_programs}\n")

file(GLOB example_sources CONFIGURE_DEPENDS examples/*.c)
program_per_source(examples examples "${example_sources}" "cenote_models;cenote_shared")

file(GLOB bench_sources CONFIGURE_DEPENDS bench/*.c)
if(NOT CENOTE_HAVE_ONEDNN)
    list(FILTER bench_sources EXCLUDE REGEX "/bench/onednn_")
endif()
program_per_source(bench bench "${bench_sources}" "cenote_models;cenote_static;cenote_dependencies")

if(PROJECT_IS_TOP_LEVEL)
    enable_testing()
    add_test(NAME cenote COMMAND ${PROJECT_SOURCE_DIR}/tools/run_tests.sh ${PROJECT_BINARY_DIR})
endif()
