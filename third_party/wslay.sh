# wslay 1.1.1: WebSocket frames, from the sources inside crate wslay-sys (its own build is not used).

crates=(wslay-sys)

build() { # PREFIX
    local crate
    crate=$(crate_source wslay-sys)
    cp -r "$crate/vendor" src
    # Without these wslay_net.h does not include the headers that declare ntohs
    static_library wslay "$1" -Isrc -Isrc/includes -DHAVE_ARPA_INET_H -DHAVE_NETINET_IN_H \
        -- src/wslay_event.c src/wslay_frame.c src/wslay_net.c src/wslay_queue.c
    mkdir -p "$1/include" "$1/licence"
    cp -r src/includes/wslay "$1/include/"
    cp src/COPYING "$1/licence/wslay"
}
