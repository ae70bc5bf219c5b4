if(NOT TARGET boxagnts)
    return()
endif()

# Black-box tests: each file is one test; the binary under test comes in BOXAGNTS, the scripted model in SCRIPTED_ENDPOINT.
# BX_UNWIRE=1 in the environment says that this build can switch controls off (presets dev, asan, tsan).
set(test_env "BOXAGNTS=$<TARGET_FILE:boxagnts>" "SCRIPTED_ENDPOINT=$<TARGET_FILE:scripted_endpoint>"
    "BX_GENERATED=${generated}" "BOXAGNTS_MODEL_THREADS=1" "BX_CAN_UNWIRE=$<BOOL:${BX_UNWIRE}>")

function(bx_black_box name label timeout)
    add_test(NAME ${name} COMMAND ${ARGN} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(${name} PROPERTIES LABELS ${label} TIMEOUT ${timeout} ENVIRONMENT "${test_env}")
endfunction()

foreach(kind flow attack)
    file(GLOB files CONFIGURE_DEPENDS tests/${kind}/test_*.py)
    foreach(file IN LISTS files)
        get_filename_component(noun ${file} NAME_WE)
        bx_black_box(${kind}.${noun} ${kind} 600 ${Python3_EXECUTABLE} ${file})
    endforeach()
endforeach()

# The guests: one set of cases, once as native programs under sanitizers, once as guests through the whole path.
if(EXISTS ${CMAKE_SOURCE_DIR}/tests/guests/run.py)
    if(NOT BX_SANITIZE) # there, the same cases are run natively
        # The shell and its commands against real bash and GNU tools
        bx_black_box(guests.bash guests 600 ${Python3_EXECUTABLE} tests/bash/run.py --boxagnts $<TARGET_FILE:boxagnts>)
    endif()
    bx_black_box(guests.boxed guests 600 ${Python3_EXECUTABLE} tests/guests/run.py --boxagnts $<TARGET_FILE:boxagnts>)
    if(BX_SANITIZE MATCHES address)
        add_custom_target(guests-native ALL
            COMMAND ${CMAKE_SOURCE_DIR}/guests/build.sh --native ${CMAKE_BINARY_DIR}/guests-native ${BX_GUESTS}
            DEPENDS ${guest_sources})
        # The shell, with this machine's programs: its corpus against real bash
        add_custom_target(bash-native ALL
            COMMAND ${CMAKE_SOURCE_DIR}/guests/build.sh --native ${CMAKE_BINARY_DIR}/guests-native bash
            DEPENDS ${guest_sources})
        bx_black_box(guests.bash_native guests 600 ${Python3_EXECUTABLE} tests/bash/run.py --native ${CMAKE_BINARY_DIR}/guests-native/bash)
        bx_black_box(guests.native guests 600 ${Python3_EXECUTABLE} tests/guests/run.py --native ${CMAKE_BINARY_DIR}/guests-native)
        bx_black_box(guests.grep-peers guests 600 ${Python3_EXECUTABLE} tests/guests/grep_peers.py ${CMAKE_BINARY_DIR}/guests-native 80)
        bx_black_box(guests.chance guests 600 ${Python3_EXECUTABLE} tests/guests/chance.py ${CMAKE_BINARY_DIR}/guests-native 60)
    endif()
endif()

# The programs of the shell that we write ourselves, under sanitizers, against the machine's
if(BX_SANITIZE MATCHES address AND EXISTS ${CMAKE_SOURCE_DIR}/tests/bash/run.py AND EXISTS ${CMAKE_SOURCE_DIR}/guests/common/process_native.c)
    add_custom_target(programs-native ALL
        COMMAND ${CMAKE_SOURCE_DIR}/guests/build.sh --native ${CMAKE_BINARY_DIR}/guests-native tools
        DEPENDS ${guest_sources})
    bx_black_box(guests.programs guests 600 ${Python3_EXECUTABLE} tests/programs/run.py ${CMAKE_BINARY_DIR}/guests-native/tools)
endif()

# The shell's expansions: of the guest's sources, natively
file(GLOB bash_sources CONFIGURE_DEPENDS guests/bash/*.c)
list(FILTER bash_sources EXCLUDE REGEX "/main\\.c$")
add_executable(fuzz_bash_expand tests/fuzz/bash_expand.c ${bash_sources} guests/common/buf.c guests/common/utf8.c
    guests/common/process_native.c)
target_include_directories(fuzz_bash_expand PRIVATE guests)
target_compile_definitions(fuzz_bash_expand PRIVATE BX_GUEST_NATIVE)
target_link_libraries(fuzz_bash_expand PRIVATE bx_options)
add_test(NAME fuzz.bash_expand COMMAND fuzz_bash_expand ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/bash_expand)
set_tests_properties(fuzz.bash_expand PROPERTIES LABELS fuzz TIMEOUT 120)

# Fuzz targets: every CI run replays the corpus; with clang and -fsanitize=fuzzer the same files search.
file(GLOB fuzzers CONFIGURE_DEPENDS tests/fuzz/fuzz_*.c)
foreach(source IN LISTS fuzzers)
    get_filename_component(noun ${source} NAME_WE)
    string(REPLACE fuzz_ "" corpus ${noun})
    add_executable(${noun} ${source})
    target_include_directories(${noun} PRIVATE tests)
    target_link_libraries(${noun} PRIVATE bx_options ${rooms} m)
    add_test(NAME fuzz.${corpus} COMMAND ${noun} ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${corpus})
    set_tests_properties(fuzz.${corpus} PROPERTIES LABELS fuzz TIMEOUT 120)
endforeach()

# Guests that start others: what they start is inside the program, as in the product.
set(process_guest ${generated}/process_guest)
file(GLOB process_guest_sources CONFIGURE_DEPENDS tests/attack/guests/process.c guests/common/process.[ch])
add_custom_command(OUTPUT ${process_guest}.cwasm ${process_guest}.fuel.cwasm
    COMMAND sh -c "cp \"$(tests/attack/build_guests.sh)/process.wasm\" ${process_guest}.wasm"
    COMMAND bx-aot ${process_guest}.wasm ${process_guest}.cwasm
    COMMAND bx-aot --fuel ${process_guest}.wasm ${process_guest}.fuel.cwasm
    DEPENDS bx-aot ${process_guest_sources} tests/attack/build_guests.sh WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} VERBATIM)
foreach(program IN ITEMS unit_box_test_group unit_box_test_load)
    target_sources(${program} PRIVATE ${process_guest}.cwasm ${process_guest}.fuel.cwasm)
    target_compile_definitions(${program} PRIVATE PROCESS_GUEST="${process_guest}")
endforeach()
# Also of the product's own build, where memory is what it is
set_tests_properties(unit.box.test_load PROPERTIES LABELS "unit;box;attack")
set_tests_properties(unit.git.test_attack PROPERTIES LABELS "unit;git;attack")

# What web_fetch reads: the guest's own code, natively; its libraries have sanitizers, too.
if(BX_SANITIZE MATCHES address)
    set(page_parts)
    foreach(part url decode page markdown markdown_text markdown_code table)
        list(APPEND page_parts guests/web_fetch/${part}.c)
    endforeach()
    add_executable(fuzz-html tests/fuzz/guest_html.c ${page_parts} guests/common/buf.c guests/common/utf8.c)
    target_include_directories(fuzz-html PRIVATE guests tests)
    target_compile_definitions(fuzz-html PRIVATE BX_GUEST_NATIVE _GNU_SOURCE)
    target_compile_options(fuzz-html PRIVATE -std=gnu17 -O1 -fsanitize=address,undefined -fno-sanitize-recover=all)
    target_link_options(fuzz-html PRIVATE -fsanitize=address,undefined)
    foreach(library lexbor brotli zlib)
        bx_prefix(${library} prefix)
        file(GLOB archive ${prefix}/native/*.a)
        target_include_directories(fuzz-html SYSTEM PRIVATE ${prefix}/include)
        target_link_libraries(fuzz-html PRIVATE ${archive})
    endforeach()
    add_test(NAME fuzz.html COMMAND fuzz-html ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/html)
    # a guest that gives up ends with 0 and without this line; it leaves its memory to the end
    set_tests_properties(fuzz.html PROPERTIES LABELS fuzz TIMEOUT 120 ENVIRONMENT ASAN_OPTIONS=detect_leaks=0
        PASS_REGULAR_EXPRESSION "inputs and 300 changed copies of each")
endif()
