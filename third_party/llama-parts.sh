# llama.cpp v0.5.0 with its server, as the static libraries its own CMake makes, and ggml's CPU code
# a second time for AVX-512. The long compile (12 CPU minutes); llama.sh makes the product's part of it.
# The npm package carries the whole source tree as a git bundle.

sources=(node-llama-cpp)

bundle_sha256=5f5d1105d5df040738d87b8290e5d17e7362131cdcfdb0831618e0ea528b4a51
commit=de3ff815ea7d559ee917f063901b8986f038abc6

llama_unpack() {
    local bundle=package/llama/gitRelease.bundle
    tar xzf "$(source_fetch node-llama-cpp)" "$bundle"
    [ "$(sha256_of "$bundle")" = $bundle_sha256 ] || die "the llama.cpp bundle is not the pinned one"
    git clone -q "$bundle" clone 2>/dev/null
    [ "$(git -C clone rev-parse HEAD)" = $commit ] || die "llama.cpp is not at commit $commit"
    mkdir src
    git -C clone archive HEAD | tar x -C src # without .git: the build must not ask git
    rm -r clone package
}

llama_configure() { # BUILD_DIR EXTRA_FLAGS…
    local flags="-fPIE -ffunction-sections -fdata-sections -ffile-prefix-map=$PWD/src=llama.cpp"
    local dir=$1
    shift
    # LLAMA_SUBPROCESS off: the server must not be able to start programs.
    # GGML_NATIVE off: the binary runs on other machines; off means AVX2.
    cmake -S src -B "$dir" -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF \
        -DGGML_NATIVE=OFF -DGGML_OPENMP=OFF -DGGML_CCACHE=OFF \
        -DLLAMA_OPENSSL=OFF -DLLAMA_SUBPROCESS=OFF -DLLAMA_LLGUIDANCE=OFF \
        -DLLAMA_BUILD_UI=OFF -DLLAMA_USE_PREBUILT_UI=OFF \
        -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_APP=OFF \
        -DLLAMA_BUILD_IS_DEV=OFF -DLLAMA_BUILD_NUMBER=0 -DLLAMA_BUILD_COMMIT=v0.5.0 \
        -DCMAKE_C_FLAGS="$flags" -DCMAKE_CXX_FLAGS="$flags" "$@"
}

build() { # PREFIX
    llama_unpack
    llama_configure avx2
    llama_configure avx512 -DGGML_AVX512=ON -DGGML_AVX512_VBMI=ON -DGGML_AVX512_VNNI=ON
    ninja -C avx2 -j "$jobs" llama-server
    ninja -C avx512 -j "$jobs" ggml-cpu

    mkdir -p "$1/lib" "$1/cpu-avx2" "$1/cpu-avx512" "$1/licence"
    find avx2 -name 'lib*.a' ! -name libggml-cpu.a -exec cp -t "$1/lib" {} +
    cp avx2/ggml/src/libggml-cpu.a "$1/cpu-avx2"
    cp avx512/ggml/src/libggml-cpu.a "$1/cpu-avx512"
    cp src/LICENSE "$1/licence/llama.cpp"
}
