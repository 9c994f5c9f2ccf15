# Program.cmake - the networks, the experiments and the program. They see the public headers only and
# the program links the shared library: the proof that the public interface suffices.

function(cenote_user target)
    cenote_target(${target})
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR})
endfunction()

file(GLOB model_sources CONFIGURE_DEPENDS models/*.c)
if(model_sources)
    add_library(cenote_models STATIC ${model_sources})
    cenote_user(cenote_models)
else()
    add_library(cenote_models INTERFACE)
endif()
target_include_directories(cenote_models INTERFACE ${PROJECT_SOURCE_DIR})

file(GLOB program_sources CONFIGURE_DEPENDS app/*.c book/*.c book/*/*.c)
if(program_sources)
    add_executable(cenote_program ${program_sources})
    cenote_user(cenote_program)
    target_link_libraries(cenote_program PRIVATE cenote_models cenote_shared PkgConfig::JANSSON m)
    file(RELATIVE_PATH lib_from_bin /prefix/${CMAKE_INSTALL_BINDIR} /prefix/${CMAKE_INSTALL_LIBDIR})
    set_target_properties(cenote_program PROPERTIES OUTPUT_NAME cenote
        RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR} INSTALL_RPATH "$ORIGIN/${lib_from_bin}")
endif()

if(program_sources AND GENERATE_DOCS AND NOT CMAKE_CROSSCOMPILING)
    set(generated
        man/man1/cenote.1 "man"
        bash-completion/completions/cenote "completion bash"
        zsh/site-functions/_cenote "completion zsh"
        fish/vendor_completions.d/cenote.fish "completion fish")
    set(outputs)
    while(generated)
        list(POP_FRONT generated path arguments)
        set(output ${PROJECT_BINARY_DIR}/share/${path})
        cmake_path(GET output PARENT_PATH folder)
        separate_arguments(arguments)
        add_custom_command(OUTPUT ${output} DEPENDS cenote_program VERBATIM
            COMMAND ${CMAKE_COMMAND} -E make_directory ${folder}
            COMMAND cenote_program ${arguments} > ${output})
        list(APPEND outputs ${output})
    endwhile()
    add_custom_target(cenote_docs ALL DEPENDS ${outputs})
endif()
