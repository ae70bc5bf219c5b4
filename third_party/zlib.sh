# zlib for the guests: inflate for web_fetch, both ways for zip and unzip. From the sources inside crate libz-sys. (The server's own zlib is Debian's.)

crates=(libz-sys)
needs=(zig)

build() { # PREFIX
    local crate
    crate=$(crate_source libz-sys)
    cp -r "$crate/src/zlib" src
    guest_library z "$1" -I src -- src/{inflate,inftrees,inffast,adler32,crc32,zutil,deflate,trees,compress}.c
    mkdir -p "$1/include" "$1/licence"
    cp src/{zlib,zconf}.h "$1/include"
    cp src/LICENSE "$1/licence/zlib"
}
