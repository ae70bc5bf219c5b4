/* tools/registry.h: all tools by name, and the one way to run one.
 *
 * Any thread. The registry holds the native built-ins and the embedded guests, and what sources bring that come and go: the
 * folders of the user's tools, MCP servers. A tool that was handed out stays good whatever happens to the registry's list. */
#ifndef BX_TOOLS_REGISTRY_H
#define BX_TOOLS_REGISTRY_H

#include "base/blob.h"
#include "tools/reach.h"
#include "tools/settings.h"
#include "tools/tool.h"

struct bx_registry;
struct bx_box;
struct bx_outbound;
struct bx_receipts;

struct bx_registry_config {
    struct bx_box *box;            /* writes the receipts of sandboxed calls itself */
    struct bx_outbound *outbound;  /* answers their requests to the network; may be NULL: no call has any */
    char *(*secret)(void *user, const char *name); /* of auth.json, for remote tools; the caller's or NULL; may be NULL itself */
    void *secret_user;
    struct bx_receipts *receipts;  /* for denied calls and those of native tools; may be NULL: no record */
    const char *const *user_skills; /* folders of the user's own skills, NULL ends the list; copied; may be NULL */
    const struct bx_file_blob *bundled_skills; /* "name/SKILL.md" …; constant; may be NULL */
    const struct bx_val *settings; /* settings.json's root, may be NULL; copied. Its "limits": tools/settings.h */
    const struct bx_mount *mounts; /* the root first, for the check of map_dirs; copied; may be NULL */
    size_t mount_count;
    const char *state_dir;         /* what no folder of a tool may hold; may be NULL */
};
/* BX_ERR_INVALID: a limit in the settings that is out of its range or unknown. */
int bx_registry_new(const struct bx_registry_config *config, struct bx_registry **ret, struct bx_err *err);
void bx_registry_free(struct bx_registry *r);
BX_DEFINE_AUTO(struct bx_registry, bx_registry_free)

struct bx_tool *bx_registry_find(struct bx_registry *r, const char *name);        /* a new reference or NULL */
char *bx_registry_nearest(struct bx_registry *r, const char *name);               /* the caller's, or NULL */
/* All, in stable (name) order: new references in a new array. */
struct bx_tool **bx_registry_all(struct bx_registry *r, size_t *ret_count);
/* All tools of one source, in the place of those that it had before; none takes the source out. The references are new ones.
 * Of several tools with one name that of the lowest rank counts. */
enum bx_source_rank { BX_RANK_FOLDER = 0, BX_RANK_MCP = 100, BX_RANK_BUILT_IN = 1000 };
void bx_registry_set_source(struct bx_registry *r, const char *source, unsigned rank, struct bx_tool *const *tools,
                            size_t count);
/* Tools that another of their name hides, in the order of names; a new array, all of it the caller's. */
struct bx_hidden_tool {
    char *name, *source, *by; /* sources as in struct bx_tool */
};
struct bx_hidden_tool *bx_registry_hidden(struct bx_registry *r, size_t *ret_count);
void bx_hidden_tools_free(struct bx_hidden_tool *take_all, size_t count);
/* `self` in allowed_outbound_hosts is 127.0.0.1 at this port from now on; before, and with 0, nothing. */
void bx_registry_set_self_port(struct bx_registry *r, uint16_t port);
/* fn(user) on the thread that changed a source, after the change and without locks; one listener; NULL ends it. */
void bx_registry_on_change(struct bx_registry *r, void (*fn)(void *user), void *user);
/* A box tool from a .wasm or .js file that is in no folder (`tool run FILE.wasm`); its descriptor from <name>.json beside it, else by
 * --describe; a program that knows neither gets a generic one: level execute, any object on standard input. */
/* NAME.remote.json is a remote tool (remote.h), anything else a program. */
int bx_registry_load_file(struct bx_registry *r, const char *path, struct bx_tool **ret, struct bx_err *err);

/* The skills of a root, the workspace, the user and the program, as they are on the disk now, each with who trusts it
 * (skills/trust.h). The caller's. */
struct bx_skills;
struct bx_skills *bx_registry_skills(struct bx_registry *r, const char *root);
char *bx_registry_skill_place(struct bx_registry *r, const char *root, size_t i); /* bx_skills_place */
const char *bx_registry_state(struct bx_registry *r); /* state_dir, or NULL */

/* Tools that did not come with the program (MCP, remote, from files). Where there are many, their schemas are sent to a model
 * only after ToolSearch has loaded them. Settings: "defer_tools": {"over_tools":20,"over_tokens":8000}; more of either
 * defers them all; -1 = never by this count. */
struct bx_defer {
    int64_t over_tools, over_tokens;
};
bool bx_tool_is_extra(const struct bx_tool *t);
/* One that nearly every task needs: it is never deferred. In a small window all others may be. */
bool bx_tool_is_core(const struct bx_tool *t);
struct bx_defer bx_registry_defer(struct bx_registry *r);

/* The limits that a call of this tool gets, each with where it came from (tools/settings.h). wish may be NULL; texts of ret are
 * the arena's. */
struct bx_limits_wish {
    const struct bx_val *const *granted; /* objects of grants, as in the settings */
    size_t granted_count;
    const char *const *over;             /* of the call: "time=60s", …, NULL; may be NULL */
    const char *const *hosts;            /* of the call: hosts that the person who began it granted, NULL ended; may be NULL; no
                                            part of the limits: they count as grants (bx_tool_grants) */
};
int bx_registry_limits(struct bx_registry *r, const struct bx_tool *t, const struct bx_limits_wish *wish, struct bx_arena *arena,
                       struct bx_tool_limits *ret, struct bx_err *err);
/* The grant of a call with these limits: base mounts (the root first) with work_dir and map_dirs, writable as the tool's level lets
 * them be. A view of l, base and the arena. */
int bx_registry_grant(struct bx_registry *r, const struct bx_tool *t, const struct bx_tool_limits *l,
                      const struct bx_mount *base, size_t base_count, struct bx_arena *arena, struct bx_grant *ret,
                      struct bx_err *err);
/* One tool's object of "limits", before it is written. */
int bx_registry_check_limits(struct bx_registry *r, const char *key, const struct bx_val *values, struct bx_err *err);
/* New settings (their "limits"); BX_ERR_INVALID and nothing changed when one of them is wrong. */
int bx_registry_reload(struct bx_registry *r, const struct bx_val *settings, struct bx_err *err);

/* Schema check, path mapping (a host path below the root becomes its guest path), execute. The permission check
 * comes before this and is the caller's: without its pass (ctx->permit) for this very call it is BX_ERR_DENIED. Input that does not fit is a result with is_error and a sentence that lets the
 * model mend its call; a negative return means that the call could not be made at all. */
int bx_registry_execute(struct bx_registry *r, struct bx_tool *t, const struct bx_val *input, struct bx_tool_ctx *ctx,
                        struct bx_tool_result *ret, struct bx_err *err);
/* What the tools of a session remember (tools/session.h): a new reference, NULL for "". */
struct bx_tool_session *bx_registry_session(struct bx_registry *r, const char *session_id);
/* The worker processes of grants with this name end (bx_grant.worker). */
void bx_registry_end_worker(struct bx_registry *r, const char *worker);
/* A receipt for a call that was denied. ret_receipt: JSON text, the caller's; NULL where no record is kept. */
void bx_registry_record_denied(struct bx_registry *r, const struct bx_tool *t, const struct bx_val *input,
                               const struct bx_tool_ctx *ctx, const char *reason, char **ret_receipt);

#endif
