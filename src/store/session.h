/* store/session.h: one conversation, an append-only log of events on disk (docs/events.md has the shapes).
 *
 * Any thread; one writer at a time (the run that owns the session, or the API between runs), many readers. An event is
 * visible to readers only once it is written; durable appends have been through fdatasync before the call returns.
 * A torn last line is cut off when the session is opened, a damaged line elsewhere is skipped and counted: the rest
 * still opens. Readers keep a cursor and pull; nothing is queued for anybody, so a slow reader costs no memory. */
#ifndef BX_STORE_SESSION_H
#define BX_STORE_SESSION_H

#include "json/write.h"
#include "store/store.h"

struct bx_session;

struct bx_session_header {
    char id[37];
    int64_t created_at_ms;
    const char *title, *model, *mode, *root, *kind; /* views, valid as long as the session; kind: "chat" "executor" */
    const char *agent;                  /* an executor's: the name of its agent, else "" */
    struct bx_session_parent parent;    /* an executor's; session "": none */
    struct bx_session_fork forked_from; /* session "": none */
};

/* Makes the file with its header line. Everything of `h` is copied; id and created_at_ms are made when empty, the kind is
 * "chat" when NULL. */
int bx_session_create(struct bx_store *store, const struct bx_session_header *h, struct bx_session **ret,
                      struct bx_err *err);
/* Members `parent` and `forked_from` of the object that is open, where they are set: for the header, the list, exports. */
void bx_session_write_origin(struct bx_jw *w, const struct bx_session_parent *parent,
                             const struct bx_session_fork *forked_from);
/* The same object for everybody while somebody holds it. BX_ERR_NOTFOUND, BX_ERR_DAMAGED (no readable header). */
int bx_session_open(struct bx_store *store, const char *id, struct bx_session **ret, struct bx_err *err);
struct bx_session *bx_session_ref(struct bx_session *s);
void bx_session_unref(struct bx_session *s);
BX_DEFINE_AUTO(struct bx_session, bx_session_unref)

const struct bx_session_header *bx_session_header(const struct bx_session *s); /* as created; id is the key */
/* Current values after `title`, `model`, `mode` events; the caller's copies. */
char *bx_session_title(struct bx_session *s);
char *bx_session_model(struct bx_session *s);
char *bx_session_mode(struct bx_session *s);
char *bx_session_earlier_mode(struct bx_session *s); /* before the last change, "" before the first */
bool bx_session_pinned(struct bx_session *s);  /* of the last `pin` event */
bool bx_session_planner(struct bx_session *s); /* of the last `planner` event */
char *bx_session_todos(struct bx_session *s);        /* of the last `todo` event: JSON text of an array, "[]" when there is none */
char *bx_session_budget(struct bx_session *s);       /* of the last `budget` event: JSON text of an object, "{}" when there is none */
/* What waits for a run to take it (`queued`), oldest first: JSON text of an array of {"id","text","skill"?,"args"?,"compact"?,
 * "message"?}. */
char *bx_session_queued(struct bx_session *s);
uint64_t bx_session_last_seq(struct bx_session *s);
/* Events that `rewind` events took out of the conversation: ranges of seq, both ends included, sorted, apart from each other.
 * The caller's copy, NULL when there are none. */
struct bx_seq_range {
    uint64_t from, to;
};
size_t bx_session_rewound(struct bx_session *s, struct bx_seq_range **ret);
bool bx_seq_in(const struct bx_seq_range *ranges, size_t count, uint64_t seq);
unsigned bx_session_damaged_lines(const struct bx_session *s);
uint64_t bx_session_torn_bytes(const struct bx_session *s); /* cut off by the open; 0 in the usual case */

enum bx_durability {
    BX_BATCHED, /* in the page cache now, on the platter within 5 ms or with the next durable append */
    BX_DURABLE  /* user message, tool result, run end, anything acknowledged to a person */
};
/* body is one JSON object without seq, t and type; they are put in front. */
int bx_session_append(struct bx_session *s, const char *type, struct bx_str body, enum bx_durability durability,
                      uint64_t *ret_seq, struct bx_err *err);
/* Brings what was appended so far to the platter: one flush for several batched appends. */
int bx_session_sync(struct bx_session *s, struct bx_err *err);
/* Live only: deltas. body is a whole JSON object with its type. Kept in a bounded ring, oldest dropped. */
void bx_session_delta(struct bx_session *s, struct bx_str body);

/* Reading. A cursor is where a reader stands; zero-initialise, then set next_seq (1 = from the start). */
struct bx_cursor {
    uint64_t next_seq;
    uint64_t next_delta; /* 0 = deltas that are in the ring now */
};
/* Adds the next lines (each one JSON object and '\n') to out until nothing is left, about max_bytes are added or out is
 * full; advances the cursor. Returns the number of lines, 0 when there is nothing new, or a negative error (BX_ERR_LIMIT: the
 * next line alone is larger than out may become). */
int bx_session_read(struct bx_session *s, struct bx_cursor *cursor, size_t max_bytes, struct bx_buf *out,
                    struct bx_err *err);
/* Reading backwards: where a page that ends before event `before` begins, so that it has at most `limit` (1…) events and
 * max_bytes bytes, or one event. 1 when `before` is 1 or less; a `before` behind the last event stands for the newest page. */
uint64_t bx_session_page_start(struct bx_session *s, uint64_t before, uint64_t limit, uint64_t max_bytes);

/* fn(user) after every append and delta, on the appending thread: post to your own thread there. fn may read the session,
 * but not watch or unwatch it. After unwatch returns fn is not running and will not run. */
struct bx_session_watch {
    void (*fn)(void *user);
    void *user;
    struct bx_session_watch *next;
};
void bx_session_watch(struct bx_session *s, struct bx_session_watch *w);
void bx_session_unwatch(struct bx_session *s, struct bx_session_watch *w);

#endif
