/* What a call would touch, and its input with the paths that guests use. */
#include "tools/reach.h"

#include "fetch/policy.h"
#include "fetch/url.h"
#include "json/write.h"
#include "tools/paths.h"

static bool names_path(const struct bx_tool *t, struct bx_str key) {
    struct bx_str rest = bx_str(t->path_members), name;
    while (bx_str_split(&rest, ',', &name))
        if (key.n && bx_str_eq(bx_str_trim(name), key))
            return true;
    return false;
}

static void add_item(struct bx_arena *arena, const char ***list, size_t *count, const char *item) {
    const char **grown = bx_arena_alloc(arena, (*count + 1) * sizeof *grown);
    if (*count)
        memcpy(grown, *list, *count * sizeof *grown);
    grown[(*count)++] = item;
    *list = grown;
}

static void add_path(const struct bx_tool *t, struct bx_str path, const struct bx_grant *grant,
                     struct bx_arena *arena, struct bx_call_reach *reach) {
    bool outside = false;
    const char *guest = bx_guest_path(grant, path, arena, &outside);
    add_item(arena, &reach->paths, &reach->path_count, guest);
    reach->outside_root |= outside;
    if (outside && !reach->outside_path)
        reach->outside_path = bx_arena_str(arena, path);
    if (t->level < BX_LEVEL_WRITE)
        return;
    /* A folder of the project may be a link to .git/hooks: judge what it is as well as what it is
     * called. */
    const char *real = bx_guest_path_real(grant, guest, arena);
    reach->outside_root |= !real;
    if (!real && !reach->outside_path)
        reach->outside_path = guest;
    const char *guarded = bx_is_guarded(grant, guest)          ? guest
                          : real && bx_is_guarded(grant, real) ? real
                                                               : NULL;
    if (guarded && !reach->guarded_path)
        reach->guarded_path = guarded;
}

/* Taken apart by the parser that will also connect to it. What is no URL reaches nothing. */
static void add_host(struct bx_str text, struct bx_arena *arena, struct bx_call_reach *reach) {
    bool bare = bx_str_find_str(text, BX_STR_LIT("://")) == (size_t)-1;
    const char *z =
        bx_arena_printf(arena, "%s" BX_STR_FMT, bare ? "https://" : "", BX_STR_ARG(text));
    bx_auto(bx_url_deinit) struct bx_url url = {0};
    if (bx_url_parse(z, &url, NULL))
        return;
    bx_auto(bx_freep) char *entry = bx_policy_entry(bx_str(url.scheme), bx_str(url.host), url.port);
    if (entry)
        add_item(arena, &reach->hosts, &reach->host_count, bx_arena_str(arena, bx_str(entry)));
}

void bx_tool_reach(const struct bx_tool *t, const struct bx_val *input,
                   const struct bx_grant *grant, struct bx_arena *arena,
                   struct bx_call_reach *ret) {
    *ret = (struct bx_call_reach){0};
    bx_val_foreach_member (input, key, value) {
        if (names_path(t, key)) {
            if (bx_val_is(value, BX_VAL_STR))
                add_path(t, bx_val_str(value), grant, arena, ret);
            bx_val_foreach_item (value, item) {
                if (bx_val_is(item, BX_VAL_STR))
                    add_path(t, bx_val_str(item), grant, arena, ret);
            }
        } else if (bx_str_eqz(key, "url") || bx_str_eqz(key, "urls")) {
            if (bx_val_is(value, BX_VAL_STR))
                add_host(bx_val_str(value), arena, ret);
            bx_val_foreach_item (value, item2) {
                if (bx_val_is(item2, BX_VAL_STR))
                    add_host(bx_val_str(item2), arena, ret);
            }
        }
    }
    if (t->url)
        add_host(bx_str_n(t->url, strcspn(t->url, "{")), arena, ret);
    if (t->command_member)
        ret->command = bx_val_get_z(input, t->command_member);
}

static void write_path(struct bx_jw *w, const struct bx_val *value, const struct bx_grant *grant,
                       struct bx_arena *arena) {
    bool outside = false;
    const char *guest = bx_guest_path(grant, bx_val_str(value), arena, &outside);
    if (outside)
        bx_jw_val(w, value); /* as written: the guest is refused by the wall, and says so */
    else
        bx_jw_z(w, guest);
}

void bx_tool_map_input(const struct bx_tool *t, const struct bx_val *input,
                       const struct bx_grant *grant, struct bx_arena *arena, struct bx_buf *out) {
    struct bx_jw w;
    bx_jw_init(&w, out);
    bx_jw_obj(&w);
    bx_val_foreach_member (input, key, value) {
        bx_jw_keys(&w, key);
        if (names_path(t, key) && bx_val_is(value, BX_VAL_STR)) {
            write_path(&w, value, grant, arena);
        } else if (names_path(t, key) && bx_val_is(value, BX_VAL_ARR)) {
            bx_jw_arr(&w);
            bx_val_foreach_item (value, item) {
                if (bx_val_is(item, BX_VAL_STR))
                    write_path(&w, item, grant, arena);
                else
                    bx_jw_val(&w, item);
            }
            bx_jw_end(&w);
        } else {
            bx_jw_val(&w, value);
        }
    }
    bx_jw_end(&w);
}
