# The binary: all rooms, the guests, the page and the model server in one file.
set(BX_GUESTS read write edit glob grep web_fetch jsexec bash)
# Images of the shell's commands
set(BX_PROGRAMS tools toybox awk jq)
# What is large or seldom needed is kept compressed, and unpacked by the worker that first needs it
set(BX_PACKED web_fetch jsexec bash ${BX_PROGRAMS})
set(generated ${CMAKE_BINARY_DIR}/generated)
set(embed ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/cmake/embed.py)
file(MAKE_DIRECTORY ${generated}/guests)

# --- peers of the tests
add_executable(scripted_endpoint tests/peers/scripted_endpoint.c tests/peers/scripted.c)
target_include_directories(scripted_endpoint PRIVATE tests)
target_link_libraries(scripted_endpoint PRIVATE bx_options bx_json m)

# --- guests: C → WebAssembly → machine code of the baseline CPU, in both forms, so that the first start compiles nothing
if(NOT EXISTS ${CMAKE_SOURCE_DIR}/src/box/aot_main.c OR NOT EXISTS ${CMAKE_SOURCE_DIR}/src/main.c)
    return()
endif()
add_executable(bx-aot src/box/aot_main.c)
target_link_libraries(bx-aot PRIVATE bx_options bx_box)

file(GLOB_RECURSE guest_sources CONFIGURE_DEPENDS guests/*.c guests/*.h guests/*.js guests/*.json guests/build.sh)
file(GLOB program_sources CONFIGURE_DEPENDS third_party/toybox.sh third_party/awk.sh third_party/jq.sh third_party/toybox/* third_party/awk/*)
list(APPEND guest_sources ${program_sources})
set(wasm)
set(images)
set(specs)
set(aot ${CMAKE_SOURCE_DIR}/cmake/aot.sh $<TARGET_FILE:bx-aot> ${BX_ENGINE_ARCHIVE})
foreach(guest IN LISTS BX_GUESTS BX_PROGRAMS)
    set(base ${generated}/guests/${guest})
    set(pack)
    set(form cwasm)
    if(guest IN_LIST BX_PACKED)
        set(pack --pack)
        set(form packed)
    endif()
    if(guest IN_LIST BX_PROGRAMS)
        set(says @${base}.commands)
        list(APPEND wasm ${base}.wasm ${base}.commands)
    else()
        set(says ${base}.json)
        list(APPEND wasm ${base}.wasm ${base}.json)
    endif()
    add_custom_command(OUTPUT ${base}.${form} ${base}.fuel.${form}
        COMMAND ${aot} ${pack} ${base}.wasm ${base}.${form}
        COMMAND ${aot} ${pack} --fuel ${base}.wasm ${base}.fuel.${form}
        DEPENDS bx-aot ${base}.wasm cmake/aot.sh VERBATIM COMMENT "Compiling the guest ${guest} ahead")
    list(APPEND images ${base}.${form} ${base}.fuel.${form})
    list(APPEND specs ${guest}=${says}:${base}.wasm:${base}.${form}:${base}.fuel.${form})
endforeach()
add_custom_command(OUTPUT ${wasm}
    COMMAND ${CMAKE_SOURCE_DIR}/guests/build.sh ${generated}/guests ${BX_GUESTS} ${BX_PROGRAMS}
    DEPENDS ${guest_sources} VERBATIM COMMENT "Building the guests")
add_custom_command(OUTPUT ${generated}/tools.S ${generated}/tools.c
    COMMAND ${embed} ${generated}/tools tools ${specs}
    DEPENDS ${images} ${wasm} cmake/embed.py VERBATIM)
add_custom_target(guests DEPENDS ${wasm})

# --- the page
file(GLOB_RECURSE page_sources CONFIGURE_DEPENDS ui/src/* ui/build.mjs ui/build.sh ui/package.json ui/package-lock.json)
add_custom_command(OUTPUT ${generated}/page.S ${generated}/page.c
    COMMAND ${CMAKE_SOURCE_DIR}/ui/build.sh ${generated}/page
    COMMAND ${embed} ${generated}/page page ${generated}/page
    DEPENDS ${page_sources} cmake/embed.py VERBATIM COMMENT "Building the page")

# --- the tour model (scripted, 1 MB) and the notices
add_custom_command(OUTPUT ${generated}/tour.gguf
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/third_party/scripted_gguf.py
            ${CMAKE_SOURCE_DIR}/third_party/scripts/tour.json ${generated}/tour.gguf
    COMMAND gzip -9kfn ${generated}/tour.gguf # 1.7 MB of mostly zeros: 6 KB
    DEPENDS third_party/scripted_gguf.py third_party/scripts/tour.json VERBATIM)
# behind the page, the engine and the guests: the notices name what they are made of, and read it where it was built
add_custom_command(OUTPUT ${generated}/notices.txt
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/third_party/notices.py ${generated}/notices.txt
    DEPENDS third_party/notices.py third_party/sources.lock engine/Cargo.lock ui/package-lock.json ${generated}/page.c ${wasm} VERBATIM)
add_custom_command(OUTPUT ${generated}/blobs.S ${generated}/blobs.c
    COMMAND ${embed} ${generated}/blobs blob bx_tour_gguf=${generated}/tour.gguf.gz bx_notices=${generated}/notices.txt
            bx_licence=${CMAKE_SOURCE_DIR}/LICENSE
    DEPENDS ${generated}/tour.gguf ${generated}/notices.txt LICENSE cmake/embed.py VERBATIM)

# --- the examples that `tool new` writes
file(GLOB_RECURSE examples CONFIGURE_DEPENDS examples/tools/*)
add_custom_command(OUTPUT ${generated}/examples.S ${generated}/examples.c
    COMMAND ${embed} ${generated}/examples files bx_tool_examples=${CMAKE_SOURCE_DIR}/examples/tools
    DEPENDS ${examples} cmake/embed.py VERBATIM)
# --- the agents that are built in, and the example that `agent new` writes
file(GLOB_RECURSE agents CONFIGURE_DEPENDS agents/* examples/agents/*)
add_custom_command(OUTPUT ${generated}/agents.S ${generated}/agents.c
    COMMAND ${embed} ${generated}/agents files bx_builtin_agents=${CMAKE_SOURCE_DIR}/agents bx_agent_examples=${CMAKE_SOURCE_DIR}/examples/agents
    DEPENDS ${agents} cmake/embed.py VERBATIM)
# --- the skills that come with the program
file(GLOB_RECURSE bundled_skills CONFIGURE_DEPENDS skills/*)
add_custom_command(OUTPUT ${generated}/skills.S ${generated}/skills.c
    COMMAND ${embed} ${generated}/skills files bx_bundled_skills=${CMAKE_SOURCE_DIR}/skills
    DEPENDS ${bundled_skills} cmake/embed.py VERBATIM)
enable_language(ASM)

# --- the model server
bx_prefix(llama llama)
file(STRINGS ${llama}/link.txt llama_link)

add_executable(boxagnts src/main.c
    ${generated}/tools.c ${generated}/tools.S ${generated}/page.c ${generated}/page.S ${generated}/blobs.c ${generated}/blobs.S
    ${generated}/examples.c ${generated}/examples.S ${generated}/agents.c ${generated}/agents.S
    ${generated}/skills.c ${generated}/skills.S)
set_source_files_properties(${generated}/tools.S PROPERTIES OBJECT_DEPENDS "${images}")
get_property(rooms GLOBAL PROPERTY BX_ROOMS)
list(TRANSFORM rooms PREPEND bx_)
target_link_libraries(boxagnts PRIVATE bx_options ${rooms} ${llama_link})
target_link_options(boxagnts PRIVATE -pie -static-libgcc -Wl,--gc-sections -Wl,-z,relro,-z,now -Wl,-z,noexecstack
    -Wl,-Map=$<TARGET_FILE:boxagnts>.map # what takes the room: bench/size.py
    -Wl,-z,pack-relative-relocs) # 1.5 MB less; glibc 2.36, which Debian 12 has
if(CMAKE_BUILD_TYPE STREQUAL "Release")
    add_custom_command(TARGET boxagnts POST_BUILD COMMAND ${CMAKE_STRIP} -s $<TARGET_FILE:boxagnts>)
endif()

# --- programs of the bench
file(GLOB bench CONFIGURE_DEPENDS bench/*.c)
foreach(source IN LISTS bench)
    get_filename_component(noun ${source} NAME_WE)
    add_executable(bench-${noun} ${source} ${generated}/tools.c ${generated}/tools.S)
    target_link_libraries(bench-${noun} PRIVATE bx_options bx_box)
endforeach()

