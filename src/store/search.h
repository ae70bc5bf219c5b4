/* store/search.h: which sessions say this, in their titles and texts. Any thread.
 *
 * The files are read, newest session first: no index has to be kept right, and a folder of many gigabytes is read in parts,
 * because a search ends after a time and says where to go on. Case is folded (base/fold.h). What counts as text: messages of the
 * user and the model, results of tools, notes, plans and summaries. */
#ifndef BX_STORE_SEARCH_H
#define BX_STORE_SEARCH_H

#include "base/cancel.h"
#include "json/write.h"
#include "store/store.h"

#define BX_SEARCH_SAID_MAX 3

struct bx_search_said {
    uint64_t seq; /* of the event */
    char *text;   /* about it, one line of at most about 200 bytes */
};
struct bx_search_hit {
    struct bx_session_row row;
    struct bx_search_said said[BX_SEARCH_SAID_MAX]; /* the first events that say it */
    size_t n;                                       /* 0: only the title does */
};
struct bx_search {
    struct bx_search_hit *hits;
    size_t n;
    bool more;
    char next[37]; /* with more: the `before` to go on with */
};
/* filter->title is the text to look for (at least 1 byte). timeout_ms: 0 = until the end. BX_ERR_CANCELLED. */
int bx_store_search(struct bx_store *s, const struct bx_session_filter *filter, size_t limit, uint64_t timeout_ms,
                    struct bx_cancel *cancel, struct bx_search *ret, struct bx_err *err);
void bx_search_deinit(struct bx_search *search);
/* Members `hit` (the first event that says it) and `hits` (up to three) of the object that is open; nothing for a title. */
void bx_search_write_said(struct bx_jw *w, const struct bx_search_hit *hit);

#endif
