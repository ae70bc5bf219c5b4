# libcurl 8.22: the HTTP client, from the sources inside crate curl-sys. Only what the fetch room uses:
# http and https by OpenSSL, gzip, Unix sockets, name look-ups in a thread. It reads no file and no
# variable by itself: no CA path is compiled in, no proxy, netrc, cookie, HSTS or alt-svc code.
# (Debian's own libcurl.a would bring GSSAPI, LDAP, RTMP and SSH.)

crates=(curl-sys)

off=(ALTSVC AWS BINDLOCAL COOKIES DICT DIGEST_AUTH DOH FILE FORM_API FTP GETOPTIONS GOPHER HSTS IMAP IPFS
    KERBEROS_AUTH LDAP LDAPS LIBCURL_OPTION MIME MQTT NEGOTIATE_AUTH NETRC OPENSSL_AUTO_LOAD_CONFIG POP3
    PROGRESS_METER PROXY RTSP SHUFFLE_DNS SMTP TELNET TFTP WEBSOCKETS)

build() { # PREFIX
    local feature disable=()
    for feature in "${off[@]}"; do disable+=("-DCURL_DISABLE_$feature=ON"); done
    local crate
    crate=$(crate_source curl-sys)
    cp -r "$crate/curl" src
    mkdir -p src/docs/examples # the crate leaves these folders out, CMake wants them
    touch src/docs/CMakeLists.txt src/docs/examples/CMakeLists.txt
    cmake -S src -B out -G Ninja -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS="$(library_cflags libcurl) -DNDEBUG" \
        -DBUILD_SHARED_LIBS=OFF -DBUILD_STATIC_LIBS=ON -DBUILD_CURL_EXE=OFF -DBUILD_TESTING=OFF \
        -DBUILD_EXAMPLES=OFF -DBUILD_LIBCURL_DOCS=OFF -DBUILD_MISC_DOCS=OFF -DENABLE_CURL_MANUAL=OFF \
        -DCMAKE_DISABLE_FIND_PACKAGE_Perl=ON -DCURL_USE_PKGCONFIG=OFF \
        -DCURL_USE_OPENSSL=ON -DOPENSSL_USE_STATIC_LIBS=ON -DCURL_CA_BUNDLE=none -DCURL_CA_PATH=none \
        -DCURL_ZLIB=ON -DCURL_BROTLI=OFF -DCURL_ZSTD=OFF -DUSE_NGHTTP2=OFF \
        -DCURL_USE_LIBPSL=OFF -DCURL_USE_LIBSSH2=OFF -DUSE_LIBIDN2=OFF \
        -DENABLE_THREADED_RESOLVER=ON -DENABLE_UNIX_SOCKETS=ON "${disable[@]}"
    ninja -C out -j "$jobs" libcurl_static
    mkdir -p "$1/lib" "$1/include" "$1/licence"
    cp out/lib/libcurl.a "$1/lib"
    cp -r src/include/curl "$1/include/"
    rm -f "$1"/include/curl/Makefile*
    cp src/COPYING "$1/licence/curl"
}
