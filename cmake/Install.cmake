# Install.cmake - headers, libraries, program, CMake package, pkg-config file, man pages, completions.

include(CMakePackageConfigHelpers)

install(DIRECTORY include/cenote DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(TARGETS cenote_shared EXPORT cenote-shared)
install(TARGETS cenote_static EXPORT cenote-static)
if(TARGET cenote_program)
    install(TARGETS cenote_program)
endif()

# ---- find_package(cenote): cenote::cenote; with COMPONENTS static also cenote::static ------------

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/cenote)
foreach(kind shared static)
    install(EXPORT cenote-${kind} NAMESPACE cenote:: DESTINATION ${package_dir} FILE cenote-${kind}.cmake)
endforeach()
list(JOIN CENOTE_FIND "\n    " CENOTE_FIND_LINES)
configure_package_config_file(cmake/cenote-config.cmake.in cenote-config.cmake
    INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(cenote-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/cenote-config.cmake ${PROJECT_BINARY_DIR}/cenote-config-version.cmake
    DESTINATION ${package_dir})

# ---- pkg-config: the prefix is found from where the file lies --------------------------------

file(RELATIVE_PATH PC_PREFIX /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
string(REGEX REPLACE "/$" "" PC_PREFIX "${PC_PREFIX}")
cmake_path(APPEND PC_INCLUDEDIR "\${prefix}" "${CMAKE_INSTALL_INCLUDEDIR}")
cmake_path(APPEND PC_LIBDIR "\${prefix}" "${CMAKE_INSTALL_LIBDIR}")
list(JOIN CENOTE_PC_REQUIRES ", " PC_REQUIRES)
list(JOIN CENOTE_PC_LIBS " " PC_LIBS)
configure_file(cmake/cenote.pc.in cenote.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/cenote.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# ---- documents ------------------------------------------------------------------------------

install(FILES LICENSE CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
file(GLOB man_pages CONFIGURE_DEPENDS docs/man/*.1)
install(FILES ${man_pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(DIRECTORY ${PROJECT_BINARY_DIR}/share/ DESTINATION ${CMAKE_INSTALL_DATADIR} OPTIONAL)
