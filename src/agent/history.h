/* agent/history.h: a session's log as the conversation that a model is told.
 *
 * One thread at a time (the run that owns the session, or recovery). It is made by reading the log, event by event, and never
 * in any other way: what is on disk is what the model sees, before a restart and after it. Every call of the assistant's
 * has a result; one that the log does not hold (a crash, a stop) says so. */
#ifndef BX_AGENT_HISTORY_H
#define BX_AGENT_HISTORY_H

#include "agent/active.h"
#include "agent/given.h"
#include "agent/pinned.h"
#include "base/vec.h"
#include "model/message.h"
#include "store/session.h"

/* What a message of the history is (struct bx_message.tag); its `origin` is the seq of the event it was made of, for results
 * and their images that of the reply which made the call, so that messages of one origin stand and go together. */
enum bx_tag {
    BX_TAG_TALK,    /* user, assistant, results */
    BX_TAG_IMAGES,  /* that a tool gave: a user's message behind the results, providers take them nowhere else */
    BX_TAG_SUMMARY, /* what stands for the part that was compacted; always the first */
    BX_TAG_FACT,    /* a pinned fact */
    BX_TAG_PROJECT  /* instructions of a folder below the root */
};

/* What is no longer told: the members of a `compact` event (docs/events.md). */
struct bx_cut {
    uint64_t upto;         /* messages whose origin is at most this are gone; 0: none */
    uint64_t results_upto; /* outputs whose origin is at most this are told with at most result_bytes; 0: none */
    size_t result_bytes;   /* less than 400: as one line */
    const char *summary;   /* "" = none */
    const char *const *kept; /* texts that stand word for word beside the summary */
    size_t kept_count;
};

struct bx_prefix;

struct bx_history {
    char session_id[37];
    struct bx_cursor cursor;
    size_t result_max_bytes; /* a longer result is told as head and tail */
    struct bx_seq_range *rewound; /* what the log took out of the conversation, as of the last catch-up */
    size_t rewound_count;
    BX_VEC(struct bx_message *) messages;
    size_t pending;          /* index of the first TOOL message of the last reply; its results may still come */
    BX_VEC(char *) open_calls; /* ids of calls without a result in the log, of the open run */
    BX_VEC(uint64_t) calls;    /* hashes of the ids of all calls, also of those that are no longer told: a handle means one call */
    char open_run[37];       /* run_start without run_end, else "" */
    BX_VEC(char *) loaded;     /* names of deferred tools that were loaded, in that order */
    struct bx_given given;   /* rules */
    struct bx_active_skills active;
    struct bx_pinned pinned; /* facts, packs */
    size_t bytes;            /* of all texts: what the cache of histories counts */
    int64_t estimate;        /* tokens of all messages by our count */
    double factor;           /* tokens of the provider's count for one of ours */
    bool factor_known;
    int64_t counted;         /* tokens of the last request as the provider counted them; -1: not said */
    int64_t cached;          /* of them in its cache; -1: not said */
    bool truncated;          /* it counted far fewer than were sent */
    int64_t truncated_at;    /* the greatest count of a request that was cut; 0: none was */
    size_t turns_gone;       /* of the user's, no longer told */
    uint64_t upto;           /* of the last cut */
    int64_t after_cut;       /* estimate of the whole request right after it, in the provider's tokens; 0: none yet */
    char *model;             /* of the last run, or NULL */
    struct bx_prefix *told;  /* the last request that was answered (prefix.h), or NULL */
    char *head, *kept;       /* texts of the summary message: before the facts, and behind them; or NULL */
    char *first_request, *request; /* of the user's: the first and the last one, cut where they are long; or NULL */
    uint64_t request_seq;
    char broken_part[16], *broken_what; /* of the last request's `cache_break`; "" = it had none */
    bool broken_now;
    bool recallable;         /* something is in the log that is not told whole */
    bool has_title, damaged;
};

struct bx_history *bx_history_new(const char *session_id, size_t result_max_bytes);
void bx_history_free(struct bx_history *h);
BX_DEFINE_AUTO(struct bx_history, bx_history_free)

/* Reads what was appended since the last time; after a `rewind` everything anew, without what it took out. */
int bx_history_catch_up(struct bx_history *h, struct bx_session *s, struct bx_err *err);
bool bx_history_knows_call(const struct bx_history *h, const char *id);

/* ---- leaving out (history_cut.c) ---- */
/* Tokens by our count of all messages after the cut, exactly as folding it will make them. */
int64_t bx_history_after(const struct bx_history *h, const struct bx_cut *cut);
void bx_history_cut(struct bx_history *h, const struct bx_cut *cut);
/* The summary message anew: a fact in it came or went. */
void bx_history_make_head(struct bx_history *h);
int64_t bx_message_tokens(const struct bx_message *m);
size_t bx_message_bytes(const struct bx_message *m);
bool bx_message_is_question(const struct bx_message *m); /* of the user's own */
char *bx_fact_message(const struct bx_fact *f); /* as the model is told it */

/* Our own count of tokens: bytes by kind of character; within a quarter of the truth for prose and code. */
int64_t bx_tokens_estimate(struct bx_str text);

/* Head, an honest count of what is left out, tail; at most max_bytes and a line. call: whose result it is, so that the line says
 * how the rest can be had, or NULL. */
char *bx_text_shorten(struct bx_str text, size_t max_bytes, const char *call);

#endif
