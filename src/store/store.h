/* store/store.h: the state folder of a workspace: lock, settings, secrets, sessions and their list.
 *
 * Any thread. Files are 0600, folders 0700. One process per workspace: the lock file holds its pid and address, and a
 * second one is told so in one line. */
#ifndef BX_STORE_STORE_H
#define BX_STORE_STORE_H

#include "json/json.h"

struct bx_store;

#define BX_CALL_ID_MAX 127 /* bytes of a call's id that are kept where a session names its parent */

enum bx_store_mode {
    BX_STORE_OWNER, /* takes the lock: server, `run` */
    BX_STORE_READER /* looks only: `session list|show|export`, `doctor` */
};
/* Makes the layout when it is not there. BX_ERR_BUSY names pid and URL of the owner. */
int bx_store_open(const char *state_dir, enum bx_store_mode mode, struct bx_store **ret, struct bx_err *err);
void bx_store_close(struct bx_store *s);
BX_DEFINE_AUTO(struct bx_store, bx_store_close)
const char *bx_store_dir(const struct bx_store *s);
bool bx_store_is_owned(const struct bx_store *s); /* by a process that runs; of a reader */
void bx_store_set_url(struct bx_store *s, const char *url); /* into the lock file, for the message to the second one */

/* settings.json, as it is on disk (checked shape, unknown members kept); the caller's document, {} when there is none. */
int bx_settings_load(struct bx_store *s, struct bx_doc **ret, struct bx_err *err);
/* Replaces the members of `patch` (an object; null removes a member), writes atomically. */
int bx_settings_patch(struct bx_store *s, const struct bx_val *patch, struct bx_err *err);
/* Reads, lets `change` write such a patch, writes: nobody comes between, of this process or another. A negative code of
 * change ends it with nothing written. */
typedef int bx_settings_change_fn(void *user, const struct bx_val *settings, struct bx_buf *patch, struct bx_err *err);
int bx_settings_change(struct bx_store *s, bx_settings_change_fn *change, void *user, struct bx_err *err);
/* Another number when the file has changed; 0: there is none. */
uint64_t bx_settings_stamp(struct bx_store *s);

/* auth.json (0600): secrets by name, e.g. "provider.openai", "api_token", "install_key". The caller's copy, NULL when absent. */
char *bx_secret_get(struct bx_store *s, const char *name);
int bx_secret_set(struct bx_store *s, const char *name, const char *value, struct bx_err *err); /* NULL removes */
int bx_secrets_each(struct bx_store *s, void (*fn)(void *user, struct bx_str name), void *user, struct bx_err *err);
/* auth.json as 0600, whatever somebody made of it; an owner does it when it opens. */
int bx_secrets_make_private(struct bx_store *s, struct bx_err *err);
bool bx_secrets_were_open(const struct bx_store *s); /* before that: others of this machine could read it */

/* Where an executor's session came from: the session, run and call of its manager. */
struct bx_session_parent {
    char session[37], run[37];
    char call[BX_CALL_ID_MAX + 1];
};
/* The session that this one is a copy of, up to and with that event. */
struct bx_session_fork {
    char session[37];
    uint64_t seq;
};

/* The list, newest first, from the index (rebuilt when stale; a damaged file is a row with damaged = true). */
struct bx_session_row {
    char id[37];
    char *title, *model, *mode; /* title: the set one, else the first user message cut to 80 characters */
    char kind[16];              /* "chat" "executor" */
    struct bx_session_parent parent; /* .session "" : none */
    char *agent;                /* of an executor: the agent's name, else "" */
    struct bx_session_fork forked_from; /* .session "": none */
    int64_t created_at_ms, updated_at_ms;
    uint64_t events;
    int64_t input_tokens, output_tokens; /* of all `usage` events */
    double cost;                /* US$; the sum of those that had a price */
    bool cost_known;            /* at least one had */
    bool damaged, open_run;     /* open_run: a run_start without its run_end */
    bool pinned, planner;
};
struct bx_session_list {
    struct bx_session_row *rows;
    size_t n;
    bool more;
};
/* Which rows; all zero is every session there is. */
struct bx_session_filter {
    const char *before; /* an id: older ones than that */
    const char *title;  /* text that the title must contain, case folded */
    const char *kind;   /* "chat" or "executor" */
    const char *parent; /* an id: executors of that session */
    bool pinned;        /* those only */
};
int bx_store_list(struct bx_store *s, const struct bx_session_filter *filter, size_t limit, struct bx_session_list *ret,
                  struct bx_err *err);
void bx_session_list_deinit(struct bx_session_list *list);
int bx_store_row(struct bx_store *s, const char *id, struct bx_session_row *ret, struct bx_err *err);
void bx_session_row_deinit(struct bx_session_row *row);
/* fn(user) when the list changed (a session came, went, was renamed, began or ended a run); any thread; one watcher. */
void bx_store_on_list_change(struct bx_store *s, void (*fn)(void *user), void *user);

#endif
