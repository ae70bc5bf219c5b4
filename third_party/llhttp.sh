# llhttp 9.3: the HTTP/1 parser of the server. Strict by default; nothing here may set a lenient flag.

sources=(llhttp)

build() { # PREFIX
    local archive
    archive=$(source_fetch llhttp)
    tar xzf "$archive" --strip-components=1
    static_library llhttp "$1" -Ilib -- lib/llhttp.c lib/api.c lib/http.c
    mkdir -p "$1/include" "$1/licence"
    cp lib/llhttp.h "$1/include"
    cp "$here/licences/llhttp" "$1/licence/llhttp" # the archive has only its Python wrapper's licence
}
