#include "tools/traffic.h"

#include "base/thread.h"
#include "tools/session.h"

void bx_traffic_deinit(struct bx_traffic *t) {
    for (size_t i = 0; i < t->hosts.n; i++)
        bx_free(t->hosts.p[i].host);
    bx_vec_free(&t->hosts);
}

void bx_traffic_add(struct bx_traffic *t, const char *host, uint64_t sent_bytes,
                    uint64_t received_bytes, bool denied) {
    size_t i = 0;
    while (i < t->hosts.n && strcmp(t->hosts.p[i].host, host))
        i++;
    if (i == t->hosts.n && i >= BX_TRAFFIC_HOSTS - 1 && strcmp(host, "…")) {
        bx_traffic_add(t, "…", sent_bytes, received_bytes, denied);
        return;
    }
    if (i == t->hosts.n)
        bx_vec_push(&t->hosts, ((struct bx_traffic_host){.host = bx_strdup(host)}));
    struct bx_traffic_host *h = &t->hosts.p[i];
    h->sent_bytes += sent_bytes;
    h->received_bytes += received_bytes;
    h->calls++;
    h->denied += denied;
}

void bx_tool_session_write_traffic(struct bx_tool_session *s, struct bx_jw *w) {
    bx_jw_arr(w);
    if (s) {
        BX_LOCKED(&s->lock);
        for (size_t i = 0; i < s->traffic.hosts.n; i++) {
            const struct bx_traffic_host *h = &s->traffic.hosts.p[i];
            bx_jw_obj(w);
            bx_jw_kstr(w, "host", h->host);
            bx_jw_kuint(w, "sent_bytes", h->sent_bytes);
            bx_jw_kuint(w, "received_bytes", h->received_bytes);
            bx_jw_kuint(w, "calls", h->calls);
            bx_jw_kuint(w, "denied", h->denied);
            bx_jw_end(w);
        }
    }
    bx_jw_end(w);
}
