# Flags.cmake - how our own code is compiled: cenote_target(target) applies all of it.

set(CENOTE_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes
    -Wmissing-prototypes -Wdouble-promotion -Wundef -Wvla)
if(WERROR)
    list(APPEND CENOTE_WARNINGS -Werror)
endif()

# Both are safe for values: nobody reads errno after sqrt, or the floating-point exception flags.
# -ffast-math is not: NaN and infinity mean something here.
set(CENOTE_OPTIMIZE -fno-math-errno -fno-trapping-math)
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT SANITIZE)
    set(CENOTE_KERNEL_OPTIMIZE -O3)
endif()

set(CENOTE_SANITIZE)
if(SANITIZE)
    set(CENOTE_SANITIZE -fsanitize=${SANITIZE} -fno-sanitize-recover=all)
    # gcc aligns the frames that look for use after return to 32 bytes, and keeps 64-byte vectors there.
    if(SANITIZE MATCHES address AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
        list(APPEND CENOTE_SANITIZE --param=asan-use-after-return=0)
    endif()
    list(APPEND CENOTE_OPTIMIZE -O1 -g -fno-omit-frame-pointer -UNDEBUG)
endif()

function(cenote_target target)
    set_target_properties(${target} PROPERTIES
        C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF
        C_VISIBILITY_PRESET hidden POSITION_INDEPENDENT_CODE ON)
    target_compile_definitions(${target} PRIVATE _GNU_SOURCE $<$<BOOL:${HOSTILE}>:CN_HOSTILE>)
    target_compile_options(${target} PRIVATE ${CENOTE_WARNINGS} ${CENOTE_OPTIMIZE} ${CENOTE_SANITIZE})
    get_target_property(type ${target} TYPE)
    if(NOT type MATCHES "OBJECT|STATIC")
        target_link_options(${target} PRIVATE ${CENOTE_SANITIZE})
    endif()
endfunction()
