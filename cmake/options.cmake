# Asserts stay in the release: they guard our own mistakes in a program that strangers trust with their files.
set(CMAKE_C_FLAGS_RELEASE "-O2")
# Flags of our own code; outside code is built by third_party/build.sh with its own.
add_library(bx_options INTERFACE)
target_compile_options(bx_options INTERFACE
    $<$<COMPILE_LANGUAGE:C>:-Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror>
    -ffile-prefix-map=${CMAKE_SOURCE_DIR}/= -fno-strict-aliasing -ffunction-sections -fdata-sections -fvisibility=hidden -fstack-protector-strong)
target_compile_definitions(bx_options INTERFACE _GNU_SOURCE BX_VERSION="${BX_VERSION}")
if(CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_definitions(bx_options INTERFACE _FORTIFY_SOURCE=2)
endif()
if(BX_UNWIRE)
    target_compile_definitions(bx_options INTERFACE BX_UNWIRE=1)
endif()
if(BX_SANITIZE)
    target_compile_options(bx_options INTERFACE -fsanitize=${BX_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(bx_options INTERFACE -fsanitize=${BX_SANITIZE})
endif()
find_package(Threads REQUIRED)
target_link_libraries(bx_options INTERFACE Threads::Threads)
