# Library.cmake - libcenote, shared and static, from one compilation.
#
# A new file in one of the folders is built because it exists.

set(core_dirs core ops autograd nn optim data text vision io plot dist train ffi)
list(TRANSFORM core_dirs REPLACE "(.+)" "src/\\1/*.c" OUTPUT_VARIABLE core_globs)
file(GLOB CENOTE_SOURCES CONFIGURE_DEPENDS ${core_globs} src/ops/*/*.c src/backends/*.c)
file(GLOB kernel_sources CONFIGURE_DEPENDS src/ops/layers/*.c src/ops/linalg/*.c src/backends/onednn/*.c src/optim/*.c)
file(GLOB integer_sources CONFIGURE_DEPENDS src/ops/elementwise/*.c src/ops/reduce/*.c)
file(GLOB onednn_sources CONFIGURE_DEPENDS src/backends/onednn/*.c)
file(GLOB lapack_sources CONFIGURE_DEPENDS src/backends/lapack/*.c)
file(GLOB simd_sources CONFIGURE_DEPENDS src/backends/simd/*.c)

set_source_files_properties(${kernel_sources} PROPERTIES COMPILE_OPTIONS "${CENOTE_KERNEL_OPTIMIZE};-fwrapv")
# The elements of integer tensors wrap around, as in PyTorch; sizes are checked before they overflow.
set_source_files_properties(${integer_sources} PROPERTIES COMPILE_OPTIONS "-fwrapv")
if(CENOTE_HAVE_ONEDNN)
    list(APPEND CENOTE_SOURCES ${onednn_sources})
endif()
if(CENOTE_HAVE_LAPACK)
    list(APPEND CENOTE_SOURCES ${lapack_sources})
endif()

function(cenote_compile target)
    cenote_target(${target})
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(${target} PRIVATE cenote_dependencies)
    # Nobody may replace one of our functions from outside, so calls within a file may be direct.
    target_compile_options(${target} PRIVATE -fno-semantic-interposition)
endfunction()

# The SIMD kernels are compiled once per instruction set; what chooses among them (select.c, bind*.c) is
# plain code, for it runs on every machine.
function(add_isa isa)
    add_library(cenote_${isa} OBJECT ${simd_kernels})
    cenote_compile(cenote_${isa})
    target_compile_definitions(cenote_${isa} PRIVATE CN_ISA=${isa})
    target_compile_options(cenote_${isa} PRIVATE ${ARGN} -ffp-contract=fast ${CENOTE_KERNEL_OPTIMIZE})
    set(CENOTE_OBJECTS ${CENOTE_OBJECTS} $<TARGET_OBJECTS:cenote_${isa}> PARENT_SCOPE)
endfunction()

set(CENOTE_OBJECTS)
if(CENOTE_HAVE_SIMD)
    set(simd_kernels ${simd_sources})
    list(FILTER simd_kernels EXCLUDE REGEX "/(select|bind[^/]*)\\.c$")
    list(FILTER simd_sources INCLUDE REGEX "/(select|bind[^/]*)\\.c$")
    list(APPEND CENOTE_SOURCES ${simd_sources})
    if(simd_kernels)
        add_isa(avx2 -mavx2 -mfma)
        add_isa(avx512 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma)
    endif()
endif()

add_library(cenote_objects OBJECT ${CENOTE_SOURCES})
cenote_compile(cenote_objects)
list(APPEND CENOTE_OBJECTS $<TARGET_OBJECTS:cenote_objects>)

add_library(cenote_shared SHARED ${CENOTE_OBJECTS})
add_library(cenote_static STATIC ${CENOTE_OBJECTS})
add_library(cenote::cenote ALIAS cenote_shared)
add_library(cenote::static ALIAS cenote_static)

foreach(target cenote_shared cenote_static)
    cenote_target(${target})
    set_target_properties(${target} PROPERTIES OUTPUT_NAME cenote LINKER_LANGUAGE C
        LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR} ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
    target_include_directories(${target} INTERFACE
        $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:cenote_dependencies>)
endforeach()

set_target_properties(cenote_shared PROPERTIES EXPORT_NAME cenote
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
    LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/cenote.map)
set_target_properties(cenote_static PROPERTIES EXPORT_NAME static)
target_link_libraries(cenote_static INTERFACE "$<INSTALL_INTERFACE:${CENOTE_LINK}>")
if(NOT APPLE)
    target_link_options(cenote_shared PRIVATE
        -Wl,--version-script=${PROJECT_SOURCE_DIR}/cmake/cenote.map -Wl,-Bsymbolic-functions)
endif()
