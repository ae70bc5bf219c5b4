/* tools/settings.h: what a call of a tool may use, from all who have a say, each with where it came from.
 *
 * Any thread. Order, the later counts: the built-in default, the descriptor's wish (may only lower), settings.json, what a
 * person granted, the call itself. In settings.json, "limits" holds one object a tool: "*" first, then names with a star in
 * the order in which they are written, then the tool's own name. A list replaces the one of a wider name; guarded_paths are
 * added up. Everything is tried when the settings are read, so that a wrong value is said then, with its name and range. */
#ifndef BX_TOOLS_SETTINGS_H
#define BX_TOOLS_SETTINGS_H

#include "base/arena.h"
#include "box/grant.h"

enum bx_limit_from { BX_FROM_DEFAULT, BX_FROM_DESCRIPTOR, BX_FROM_SETTINGS, BX_FROM_GRANT, BX_FROM_CALL };
const char *bx_limit_from_name(enum bx_limit_from from); /* "default" "descriptor" "settings" "grant" "call" */

enum bx_list_id { BX_LIST_HOSTS, BX_LIST_BLOCK, BX_LIST_WORK_DIR, BX_LIST_MAP_DIRS, BX_LIST_GUARDED, BX_LIST_COUNT };
struct bx_list_info {
    const char *setting; /* "allowed_outbound_hosts" … */
    const char *limit;   /* the name that is said when it fires: "network" "path" "guarded" */
    bool single;         /* one text, not a list */
    const char *what;
};
const struct bx_list_info *bx_list_info(enum bx_list_id id);

struct bx_tool_list {
    const char *const *items;
    size_t n;
    enum bx_limit_from from;
    const char *key; /* of the settings: "*", "web_*", "read"; NULL elsewhere */
};
struct bx_tool_limits { /* texts are the arena's that was given */
    struct bx_limits limits;
    unsigned char from[BX_LIMIT_COUNT]; /* enum bx_limit_from */
    const char *key[BX_LIMIT_COUNT];    /* of the settings, else NULL */
    struct bx_tool_list lists[BX_LIST_COUNT];
};
void bx_tool_limits_init(struct bx_tool_limits *l); /* the defaults */

struct bx_settings_where { /* for the check of folders; base may be NULL: they are not looked at */
    const struct bx_mount *base;
    size_t base_count;
    const char *state;
};
/* The whole "limits" of the settings (may be absent). BX_ERR_INVALID … naming tool, setting and range. */
int bx_tool_settings_check(const struct bx_val *limits, const struct bx_settings_where *where, struct bx_err *err);
/* One tool's object of it, or of a grant. key: for the messages. */
int bx_tool_settings_check_one(const char *key, const struct bx_val *values, const struct bx_settings_where *where,
                               struct bx_err *err);
/* What it says of this tool, into l. */
int bx_tool_settings_apply(const struct bx_val *limits, const char *tool, struct bx_arena *arena, struct bx_tool_limits *l,
                           struct bx_err *err);
/* One object, from a grant. */
int bx_tool_limits_read(struct bx_tool_limits *l, const struct bx_val *values, enum bx_limit_from from, const char *key,
                        struct bx_arena *arena, struct bx_err *err);
/* "time=60s", …, NULL; may be NULL. */
int bx_tool_limits_over(struct bx_tool_limits *l, const char *const *over, struct bx_err *err);
/* A further entry at the end of a list. */
void bx_tool_limits_add(struct bx_tool_limits *l, enum bx_list_id id, const char *item, enum bx_limit_from from,
                        struct bx_arena *arena);

/* {"time":{"value","unit","from","key"?,"setting","min","max","default","what"},…} for `tool describe` and the page. */
void bx_tool_limits_write(struct bx_jw *w, const struct bx_tool_limits *l);
/* {"allowed_outbound_hosts":{"value":[…],"from","key"?,"limit","what"},…}; work_dir's value is a text or null. */
void bx_tool_lists_write(struct bx_jw *w, const struct bx_tool_limits *l);

#endif
