# The embedded model server as one archive, PREFIX/lib/libllamaserver.a: llama.cpp's libraries, both
# builds of ggml's CPU code and the chooser between them. PREFIX/link.txt is what a C program that calls
# `int llama_server(int, char **) __asm__("_Z12llama_serveriPPc")` gives its linker, one argument a line.

sources=(node-llama-cpp) # for the licence texts
needs=(llama-parts)
inputs=(llama/cpu_choose.c llama/construct.c)

# One object out of all of libggml-cpu.a that shows only its entry, renamed. What stays hidden cannot
# be mixed up with the other variant's code by the linker.
variant() { # PARTS NAME
    local unique
    ld -r --force-group-allocation --whole-archive "$1/cpu-$2/libggml-cpu.a" -o whole.o
    # objcopy cannot make STB_GNU_UNIQUE data ("u") local: give it a name of its own
    unique=$(nm --defined-only whole.o | awk -v v="$2" '$2 == "u" { print "--redefine-sym " $3 "=" $3 "_" v }')
    # shellcheck disable=SC2086 # the list is words
    objcopy $unique --redefine-sym "ggml_backend_cpu_reg=ggml_backend_cpu_reg_$2" \
        --keep-global-symbol="ggml_backend_cpu_reg_$2" whole.o "ggml-cpu-$2.o"
    rm whole.o
}

licences() { # DIR
    local archive file
    archive=$(source_fetch node-llama-cpp)
    tar xzf "$archive" package/llama/gitRelease.bundle
    git clone -q --no-checkout package/llama/gitRelease.bundle clone
    for file in LICENSE:llama.cpp licenses/LICENSE-jsonhpp:nlohmann-json \
        vendor/cpp-httplib/LICENSE:cpp-httplib vendor/hash/sha256/LICENSE:sha256 \
        vendor/hash/rotate-bits/LICENSE.md:rotate-bits vendor/hash/xxhash/LICENSE:xxhash; do
        git -C clone show "HEAD:${file%:*}" >"$1/${file#*:}"
    done
    # miniaudio and stb_image are in the public domain, their texts inside the headers
}

build() { # PREFIX FINAL_PREFIX
    local parts archive
    parts=$(prefix_of llama-parts)
    variant "$parts" avx2
    variant "$parts" avx512
    # shellcheck disable=SC2046 # the flags are words
    gcc -std=gnu17 $(library_cflags llama) -Wall -Wextra -Werror -c "$here/llama/cpu_choose.c" -o cpu_choose.o
    mkdir -p "$1/lib" "$1/licence"
    {
        echo "create libllamaserver.a"
        for archive in "$parts"/lib/*.a; do echo "addlib $archive"; done
        echo "addmod ggml-cpu-avx2.o, ggml-cpu-avx512.o"
        echo save
        echo end
    } | ar -M
    strip --strip-debug libllamaserver.a
    # Static objects wait for the entry (construct.c)
    objcopy --rename-section .init_array=llama_constructors --redefine-sym _Z12llama_serveriPPc=construct_server \
        libllamaserver.a
    gcc -std=gnu17 -O2 -fPIC -Wall -Wextra -Werror -c "$here/llama/construct.c" -o construct.o
    ar r libllamaserver.a cpu_choose.o construct.o
    ranlib -D libllamaserver.a
    mv libllamaserver.a "$1/lib/"
    licences "$1/licence"
    printf '%s\n' "$2/lib/libllamaserver.a" -l:libstdc++.a -static-libgcc -lpthread -ldl -lm >"$1/link.txt"
}
