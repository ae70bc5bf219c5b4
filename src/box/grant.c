#include "box/grant.h"

#include "base/path.h"

void bx_grant_init(struct bx_grant *g) {
    static const char *const private_networks[] = {"private"};
    *g = (struct bx_grant){.block_networks = private_networks, .block_network_count = 1};
    bx_limits_init(&g->limits);
}

static bool is_normal(const char *path) {
    bx_auto(bx_freep) char *normal = path && path[0] == '/' ? bx_path_normal(path) : NULL;
    return normal && strcmp(normal, path) == 0;
}

int bx_grant_check(const struct bx_grant *g, struct bx_err *err) {
    if (g->mount_count > BX_MOUNTS_MAX) {
        return bx_fail(err, BX_ERR_INVALID, "at most %d folders can be mounted", BX_MOUNTS_MAX);
    }
    if (bx_bars_bytes(g->bars, g->bar_count) > BX_BARS_BYTES_MAX) {
        return bx_fail(err, BX_ERR_INVALID,
                       "the rules about commands that count for this call are longer than 1 MiB: "
                       "take some out, or make one of many with *");
    }
    for (size_t i = 0; i < g->mount_count; i++) {
        const struct bx_mount *m = &g->mounts[i];
        if (!is_normal(m->host_path) || !is_normal(m->guest_path)) {
            return bx_fail(err, BX_ERR_INVALID,
                           "a mount needs two absolute paths without \"..\", not %.100s:%.100s",
                           m->host_path ? m->host_path : "", m->guest_path ? m->guest_path : "");
        }
        for (size_t k = 0; k < i; k++) {
            if (strcmp(g->mounts[k].guest_path, m->guest_path) == 0) {
                return bx_fail(err, BX_ERR_INVALID, "two folders cannot both be mounted at %.200s",
                               m->guest_path);
            }
        }
    }
    return 0;
}

static void write_list(struct bx_jw *w, const char *name, const char *const *items, size_t count) {
    bx_jw_karr(w, name);
    for (size_t i = 0; i < count; i++) {
        bx_jw_z(w, items[i]);
    }
    bx_jw_end(w);
}

/* As many as a receipt has room for. */
static void write_bars(struct bx_jw *w, const struct bx_grant *g) {
    size_t room = 16 * BX_KIB, i = 0;
    bx_jw_karr(w, "denied_commands");
    for (; i < g->bar_count && strlen(g->bars[i].pattern) < room; i++) {
        room -= strlen(g->bars[i].pattern);
        bx_jw_z(w, g->bars[i].pattern);
    }
    if (i < g->bar_count) {
        bx_jw_z(w, "…");
    }
    bx_jw_end(w);
}

void bx_mounts_write(struct bx_jw *w, const struct bx_mount *mounts, size_t count) {
    bx_jw_karr(w, "mounts");
    for (size_t i = 0; i < count; i++) {
        bx_jw_obj(w);
        bx_jw_kstr(w, "host", mounts[i].host_path);
        bx_jw_kstr(w, "guest", mounts[i].guest_path);
        bx_jw_kbool(w, "writable", mounts[i].writable);
        bx_jw_end(w);
    }
    bx_jw_end(w);
}

void bx_grant_write(struct bx_jw *w, const struct bx_grant *g) {
    bx_jw_obj(w);
    bx_mounts_write(w, g->mounts, g->mount_count);
    write_list(w, "hosts", g->hosts, g->host_count);
    if (g->granted_host_count) {
        write_list(w, "granted_hosts", g->granted_hosts, g->granted_host_count);
    }
    write_list(w, "block_networks", g->block_networks, g->block_network_count);
    if (g->bar_count) {
        write_bars(w, g);
    }
    bx_jw_key(w, "limits");
    bx_limits_write(w, &g->limits);
    bx_jw_end(w);
}
