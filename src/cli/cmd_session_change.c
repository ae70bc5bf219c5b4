/* session rename, pin, unpin, delete, restore, fork, import: they change sessions. Where a server
 * holds the workspace they ask it, so that its page sees the change at once. */
#include "base/file.h"
#include "base/id.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "cli/remote.h"
#include "json/write.h"
#include "store/fork.h"
#include "store/import.h"
#include "store/place.h"

struct target {
    struct bx_cli_context c;
    bool remote; /* only the workspace is known then */
};

static int open_target(const struct bx_args *args, struct target *ret, struct bx_err *err) {
    *ret = (struct target){.remote = false};
    int r = bx_cli_store_open(args, BX_STORE_OWNER, &ret->c, err);
    if (r != BX_ERR_BUSY)
        return r;
    struct bx_err why = *err;
    struct bx_doc *alive = NULL;
    r = bx_workspace_find(args, NULL, false, &ret->c.workspace, err);
    if (r == 0)
        r = bx_remote_call(ret->c.workspace.state, "GET", "/sessions?limit=1", (struct bx_str){0},
                           &alive, err);
    bx_doc_free(alive);
    ret->remote = r == 0;
    if (r == BX_ERR_UNAVAILABLE)
        *err = why; /* who holds it */
    if (r < 0)
        bx_cli_context_close(&ret->c);
    return r;
}

static int ask(const struct target *t, const char *method, const char *id, const char *what,
               struct bx_buf *body, struct bx_doc **ret, struct bx_err *err) {
    if (!bx_id_is_valid(bx_str(id)))
        return bx_fail(err, BX_ERR_NOTFOUND, "'%.60s' is not the id of a session", id);
    bx_auto(bx_freep) char *path = bx_asprintf("/sessions/%s%s", id, what);
    return bx_remote_call(t->c.workspace.state, method, path,
                          body ? bx_buf_str(body) : (struct bx_str){0}, ret, err);
}

/* ---- one member ---- */

/* {"member":value} */
static void write_member(struct bx_buf *out, const char *member, const char *text, bool flag) {
    struct bx_jw w;
    bx_jw_init(&w, out);
    bx_jw_obj(&w);
    if (text)
        bx_jw_kstr(&w, member, text);
    else
        bx_jw_kbool(&w, member, flag);
    bx_jw_end(&w);
}

static int set_here(struct target *t, const char *id, const char *type, struct bx_buf *body,
                    struct bx_err *err) {
    bx_auto(bx_session_unrefp) struct bx_session *s = NULL;
    int r = bx_session_open(t->c.store, id, &s, err);
    return r < 0 ? r : bx_session_append(s, type, bx_buf_str(body), BX_DURABLE, NULL, err);
}

static int set(const struct bx_args *args, const char *type, const char *member, const char *text,
               bool flag) {
    bx_auto(bx_buf_deinit) struct bx_buf body = BX_BUF_INIT(64 * BX_KIB);
    bx_auto(bx_doc_freep) struct bx_doc *answer = NULL;
    struct target t;
    struct bx_err err;
    const char *id = args->operands.p[0];
    if (open_target(args, &t, &err) < 0)
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    write_member(&body, member, text, flag);
    int r = t.remote ? ask(&t, "PATCH", id, "", &body, &answer, &err)
                     : set_here(&t, id, type, &body, &err);
    bx_cli_context_close(&t.c);
    return r < 0 ? bx_cli_fail(BX_EXIT_FAILED, &err) : BX_EXIT_OK;
}

int bx_cmd_session_rename(const struct bx_args *args) {
    const char *title = args->operands.p[1];
    struct bx_err err;
    if (!bx_str_trim(bx_str(title)).n || strlen(title) > 400) {
        bx_fail(&err, BX_ERR_INVALID, "a title has 1 to 400 bytes");
        return bx_cli_fail(BX_EXIT_USAGE, &err);
    }
    return set(args, "title", "title", title, false);
}

int bx_cmd_session_pin(const struct bx_args *args) {
    return set(args, "pin", "pinned", NULL, true);
}

int bx_cmd_session_unpin(const struct bx_args *args) {
    return set(args, "pin", "pinned", NULL, false);
}

/* ---- trash ---- */

/* Each of the operands; the first failure is said, the others are done all the same. */
static int each(const struct bx_args *args, const char *method, const char *what,
                int (*here)(struct bx_store *s, const char *id, struct bx_err *err)) {
    struct target t;
    struct bx_err err, first = {0};
    if (open_target(args, &t, &err) < 0)
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    for (size_t i = 0; i < args->operands.n && args->operands.p[i]; i++) {
        bx_auto(bx_doc_freep) struct bx_doc *answer = NULL;
        const char *id = args->operands.p[i];
        int r =
            t.remote ? ask(&t, method, id, what, NULL, &answer, &err) : here(t.c.store, id, &err);
        if (r < 0 && !first.code)
            first = err;
    }
    bx_cli_context_close(&t.c);
    return first.code ? bx_cli_fail(BX_EXIT_FAILED, &first) : BX_EXIT_OK;
}

int bx_cmd_session_delete(const struct bx_args *args) {
    return each(args, "DELETE", "", bx_store_trash);
}

int bx_cmd_session_restore(const struct bx_args *args) {
    return each(args, "POST", "/restore", bx_store_restore);
}

/* ---- new sessions: their id is printed ---- */

static int print_id(const char *id) {
    struct bx_buf out = BX_BUF_INIT(100);
    bx_buf_addf(&out, "%.60s\n", id ? id : "");
    return bx_cli_print(&out);
}

static int fork_here(struct target *t, const char *id, uint64_t seq, char ret_id[static 37],
                     struct bx_err *err) {
    bx_auto(bx_session_unrefp) struct bx_session *s = NULL, *copy = NULL;
    int r = bx_session_open(t->c.store, id, &s, err);
    if (r == 0)
        r = bx_session_fork(t->c.store, s, seq, &copy, err);
    if (r == 0)
        memcpy(ret_id, bx_session_header(copy)->id, 37);
    return r;
}

static int fork_there(struct target *t, const char *id, uint64_t seq, char ret_id[static 37],
                      struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf body = BX_BUF_INIT(100);
    bx_auto(bx_doc_freep) struct bx_doc *row = NULL;
    bx_buf_addz(&body, "{}");
    if (seq) {
        bx_buf_reset(&body);
        bx_buf_addf(&body, "{\"seq\":%" PRIu64 "}", seq);
    }
    int r = ask(t, "POST", id, "/fork", &body, &row, err);
    if (r == 0)
        snprintf(ret_id, 37, "%s", bx_val_get_z(bx_doc_root(row), "id"));
    return r;
}

int bx_cmd_session_fork(const struct bx_args *args) {
    struct target t;
    struct bx_err err;
    uint64_t seq = 0;
    char id[37] = "";
    if (bx_args_number(args, "at", 1, INT64_MAX, 0, &seq, &err) < 0)
        return bx_cli_fail(BX_EXIT_USAGE, &err);
    if (open_target(args, &t, &err) < 0)
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    int r = (t.remote ? fork_there : fork_here)(&t, args->operands.p[0], seq, id, &err);
    bx_cli_context_close(&t.c);
    return r < 0 ? bx_cli_fail(BX_EXIT_FAILED, &err) : print_id(id);
}

static void say_warnings(const struct bx_val *warnings) {
    bx_val_foreach_item (warnings, text)
        fprintf(stderr, "boxagnts: " BX_STR_FMT "\n", BX_STR_ARG(bx_val_str(text)));
}

static int import_here(struct target *t, struct bx_str document, char ret_id[static 37],
                       struct bx_err *err) {
    bx_auto(bx_session_unrefp) struct bx_session *s = NULL;
    bx_auto(bx_warnings_deinit) struct bx_warnings warnings = {.texts = {0}};
    int r = bx_session_import(t->c.store, document, t->c.workspace.root, &s, &warnings, err);
    for (size_t i = 0; r == 0 && i < warnings.texts.n; i++)
        fprintf(stderr, "boxagnts: %s\n", warnings.texts.p[i]);
    if (r == 0)
        memcpy(ret_id, bx_session_header(s)->id, 37);
    return r;
}

static int import_there(struct target *t, struct bx_str document, char ret_id[static 37],
                        struct bx_err *err) {
    bx_auto(bx_doc_freep) struct bx_doc *answer = NULL;
    int r =
        bx_remote_call(t->c.workspace.state, "POST", "/sessions/import", document, &answer, err);
    if (r < 0)
        return r;
    say_warnings(bx_val_get(bx_doc_root(answer), "warnings"));
    snprintf(ret_id, 37, "%s", bx_val_get_z(bx_val_get(bx_doc_root(answer), "session"), "id"));
    return 0;
}

int bx_cmd_session_import(const struct bx_args *args) {
    bx_auto(bx_buf_deinit) struct bx_buf document = BX_BUF_INIT(BX_IMPORT_MAX_BYTES);
    struct target t;
    struct bx_err err;
    char id[37] = "";
    if (bx_file_read(args->operands.p[0], &document, &err) < 0 || open_target(args, &t, &err) < 0)
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    int r = (t.remote ? import_there : import_here)(&t, bx_buf_str(&document), id, &err);
    bx_cli_context_close(&t.c);
    return r < 0 ? bx_cli_fail(BX_EXIT_FAILED, &err) : print_id(id);
}
