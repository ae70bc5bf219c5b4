/* store/facts.h: what the list and the head of a session say, gathered from its header and events.
 *
 * One thread at a time. The same code gathers them when a file is read and when an event is appended. */
#ifndef BX_STORE_FACTS_H
#define BX_STORE_FACTS_H

#include "base/vec.h"
#include "json/json.h"
#include "store/session.h"

struct bx_waiting { /* what was typed while a run was active and is not part of the conversation yet */
    char *id, *members; /* members: of its `queued` event that are its own, JSON text of an object */
};

struct bx_facts {
    char *title;      /* the set one, "" when none */
    char *first_text; /* first user message, one line, at most 80 characters; NULL before it */
    char *model, *mode;
    char *earlier_mode; /* before the last change of the mode, NULL before the first */
    char *todos;        /* the list of tasks, JSON text of an array, NULL before the first */
    char *budget;       /* of its runs, JSON text of an object, NULL = none of its own */
    BX_VEC(struct bx_waiting) queued;
    int64_t created_at_ms, updated_at_ms;
    uint64_t events;
    bool open_run, pinned, planner;
    char kind[16];
    char *agent;
    struct bx_session_parent parent;
    struct bx_session_fork forked_from;
    int64_t input_tokens, output_tokens;
    double cost;
    bool cost_known;
    BX_VEC(struct bx_seq_range) rewound; /* sorted, apart from each other */
};

void bx_facts_deinit(struct bx_facts *f);
void bx_facts_header(struct bx_facts *f, const struct bx_val *header);
/* True when the list should be shown anew. */
bool bx_facts_event(struct bx_facts *f, struct bx_str type, uint64_t seq, int64_t t_ms, const struct bx_val *body);
/* A row with copies. */
void bx_facts_row(const struct bx_facts *f, const char *id, bool damaged, struct bx_session_row *ret);

#endif
