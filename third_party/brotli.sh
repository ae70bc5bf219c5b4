# Brotli 1.2: the decoder, for the web_fetch guest.

sources=(brotli)
needs=(zig)

build() { # PREFIX
    local archive
    archive=$(source_fetch brotli)
    tar xzf "$archive" --strip-components=1 --wildcards '*/c/common/*' '*/c/dec/*' '*/c/include/*' '*/LICENSE'
    guest_library brotli "$1" -I c/include -- c/common/*.c c/dec/*.c
    mkdir -p "$1/licence"
    cp -r c/include "$1/"
    cp LICENSE "$1/licence/brotli"
}
