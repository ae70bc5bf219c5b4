/* store/ends.h: what is open where a copied or imported log ends, and closing it: providers refuse a history with calls that
 * nobody answered, and a run without an end looks as if it went on. One thread at a time. */
#ifndef BX_STORE_ENDS_H
#define BX_STORE_ENDS_H

#include "base/map.h"
#include "store/writer.h"

struct bx_ends {
    char run[37];          /* run_start without run_end, else "" */
    struct bx_map *calls;  /* id -> tool: calls of that run without a result */
    struct bx_map *queued; /* ids of messages that wait for their turn */
};
void bx_ends_init(struct bx_ends *e);
void bx_ends_deinit(struct bx_ends *e);
void bx_ends_note(struct bx_ends *e, struct bx_str type, const struct bx_val *event);
/* Appends results that say `text`, the end of the run with that reason, and takes queued messages back. */
void bx_ends_close(struct bx_ends *e, struct bx_session_writer *w, const char *text, const char *reason);

#endif
