# yyjson 0.10: JSON, from the sources inside crate yyjson-sys.

crates=(yyjson-sys)

build() { # PREFIX
    local crate
    crate=$(crate_source yyjson-sys)
    cp -r "$crate/yyjson" src
    static_library yyjson "$1" -- src/src/yyjson.c
    mkdir -p "$1/include" "$1/licence"
    cp src/src/yyjson.h "$1/include"
    cp src/LICENSE "$1/licence/yyjson"
}
