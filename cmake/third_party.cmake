# Each outside library as an imported target tp_<name>; third_party/build.sh builds it once into a cache outside the checkout.
function(bx_prefix name ret)
    execute_process(COMMAND ${CMAKE_SOURCE_DIR}/third_party/build.sh ${name}
        OUTPUT_VARIABLE out RESULT_VARIABLE status OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(NOT status EQUAL 0)
        message(FATAL_ERROR "third_party/build.sh ${name} failed (its messages are above)")
    endif()
    string(REGEX REPLACE "^.*${name} " "" prefix "${out}")
    set(${ret} ${prefix} PARENT_SCOPE)
endfunction()

function(bx_library name)
    cmake_parse_arguments(L "" "" "ARCHIVES;LINKS" ${ARGN})
    bx_prefix(${name} prefix)
    add_library(tp_${name} INTERFACE)
    target_include_directories(tp_${name} SYSTEM INTERFACE ${prefix}/include)
    foreach(archive IN LISTS L_ARCHIVES)
        target_link_libraries(tp_${name} INTERFACE ${prefix}/lib/${archive})
    endforeach()
    target_link_libraries(tp_${name} INTERFACE ${L_LINKS})
endfunction()

bx_library(yyjson ARCHIVES libyyjson.a)
bx_library(uv     ARCHIVES libuv.a LINKS pthread dl)
bx_library(llhttp ARCHIVES libllhttp.a)
bx_library(wslay  ARCHIVES libwslay.a)
bx_library(curl   ARCHIVES libcurl.a LINKS -l:libssl.a -l:libcrypto.a -l:libz.a pthread dl)
add_library(tp_yaml INTERFACE) # Debian's
target_link_libraries(tp_yaml INTERFACE -l:libyaml.a)
add_library(tp_edit INTERFACE) # Debian's: lines typed on a terminal
target_link_libraries(tp_edit INTERFACE -l:libedit.a -l:libtinfo.a -l:libbsd.a -l:libmd.a)
add_library(tp_zstd INTERFACE) # Debian's: the compressed images of the shell's programs
target_link_libraries(tp_zstd INTERFACE -l:libzstd.a)
add_library(tp_zlib INTERFACE) # Debian's, as in curl
target_link_libraries(tp_zlib INTERFACE -l:libz.a)

# The sandbox engine: Rust, built by cargo through engine/build.sh, which prints the archive's path.
add_library(tp_engine INTERFACE)
target_include_directories(tp_engine SYSTEM INTERFACE ${CMAKE_SOURCE_DIR}/engine)
execute_process(COMMAND ${CMAKE_SOURCE_DIR}/engine/build.sh
    OUTPUT_VARIABLE BX_ENGINE_ARCHIVE RESULT_VARIABLE status OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT status EQUAL 0)
    message(FATAL_ERROR "engine/build.sh failed (its messages are above)")
endif()
target_link_libraries(tp_engine INTERFACE ${BX_ENGINE_ARCHIVE} pthread m dl)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
    engine/Cargo.lock engine/Cargo.toml engine/build.sh engine/engine.h third_party/sources.lock third_party/crates/Cargo.lock)
file(GLOB engine_sources CONFIGURE_DEPENDS engine/src/*.rs third_party/*.sh third_party/llama/*)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${engine_sources})

# --- the parser of the shell (guests/bash): the permission check reads a command with the same eyes as the tool
add_library(tp_shell STATIC guests/bash/arena.c guests/bash/parse.c guests/bash/parse_assign.c guests/bash/parse_compound.c
    guests/bash/parse_param.c guests/bash/parse_redir.c guests/bash/parse_test.c guests/bash/parse_word.c)
target_include_directories(tp_shell SYSTEM PUBLIC ${CMAKE_SOURCE_DIR}/guests)
