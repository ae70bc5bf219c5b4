# libuv 1.53: the event loop, from the sources inside crate libuv-sys2.

crates=(libuv-sys2)

build() { # PREFIX
    local crate
    crate=$(crate_source libuv-sys2)
    cp -r "$crate/libuv" src
    cmake -S src -B out -G Ninja -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS="$(library_cflags libuv) -DNDEBUG" \
        -DLIBUV_BUILD_SHARED=OFF -DLIBUV_BUILD_TESTS=OFF -DBUILD_TESTING=OFF
    ninja -C out -j "$jobs" uv_a
    mkdir -p "$1/lib" "$1/licence"
    cp out/libuv.a "$1/lib"
    cp -r src/include "$1/"
    cat src/LICENSE src/LICENSE-extra > "$1/licence/libuv"
}
