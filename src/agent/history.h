/* agent/history.h: a session's log as the conversation that a model is told.
 *
 * One thread at a time (the run that owns the session, or recovery). It is made by reading the log, event by event, and never
 * in any other way: what is on disk is what the model sees, before a restart and after it. Every call of the assistant's
 * has a result; one that the log does not hold (a crash, a stop) says so. */
#ifndef BX_AGENT_HISTORY_H
#define BX_AGENT_HISTORY_H

#include "agent/given.h"
#include "base/vec.h"
#include "model/message.h"
#include "store/session.h"

struct bx_history {
    char session_id[37];
    struct bx_cursor cursor;
    size_t result_max_bytes; /* a longer result is told as head and tail */
    struct bx_seq_range *rewound; /* what the log took out of the conversation, as of the last catch-up */
    size_t rewound_count;
    BX_VEC(struct bx_message *) messages;
    size_t pending;          /* index of the first TOOL message of the last reply; its results may still come */
    BX_VEC(char *) open_calls; /* ids of calls without a result in the log, of the open run */
    char open_run[37];       /* run_start without run_end, else "" */
    BX_VEC(char *) loaded;     /* names of deferred tools that were loaded, in that order */
    struct bx_given given;   /* rules */
    size_t bytes;            /* of all texts: what the cache of histories counts */
    int64_t estimate;        /* tokens of all messages by our count */
    double factor;           /* tokens of the provider's count for one of ours */
    size_t turns_gone;       /* left out to make room */
    bool has_title, damaged;
};

struct bx_history *bx_history_new(const char *session_id, size_t result_max_bytes);
void bx_history_free(struct bx_history *h);
BX_DEFINE_AUTO(struct bx_history, bx_history_free)

/* Reads what was appended since the last time; after a `rewind` everything anew, without what it took out. */
int bx_history_catch_up(struct bx_history *h, struct bx_session *s, struct bx_err *err);
bool bx_history_knows_call(const struct bx_history *h, const char *id);

/* Makes room: first the oldest tool outputs become one line each, then the oldest turns are left out, until the estimate
 * (by our count) is at most `tokens`; the last user message and what follows it are kept whole but for old outputs. Returns
 * how many outputs and turns went; 0 = nothing was left to leave out. */
size_t bx_history_elide(struct bx_history *h, int64_t tokens);

/* Our own count of tokens: bytes by kind of character; within a quarter of the truth for prose and code. */
int64_t bx_tokens_estimate(struct bx_str text);

/* Head, an honest count of what is left out, tail; at most max_bytes and a line. */
char *bx_text_shorten(struct bx_str text, size_t max_bytes);

#endif
