#include "agent/internal.h"

/* A message is edited by sending another in its place: the log keeps both, the conversation goes on
 * from before the first. */

int bx_session_check_rewind(struct bx_session *s, uint64_t seq, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf line = BX_BUF_INIT(BX_EVENT_MAX);
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    bx_auto(bx_freep) struct bx_seq_range *rewound = NULL;
    struct bx_cursor cursor = {.next_seq = seq, .next_delta = UINT64_MAX};
    int n = seq <= bx_session_last_seq(s) ? bx_session_read(s, &cursor, 1, &line, err) : 0;
    if (n < 0)
        return n;
    if (n > 0)
        bx_doc_parse(bx_str_trim(bx_buf_str(&line)), NULL, &doc, NULL);
    const struct bx_val *event = doc ? bx_doc_root(doc) : NULL;
    size_t count = bx_session_rewound(s, &rewound);
    if ((uint64_t)bx_val_get_int(event, "seq", 0) == seq &&
        bx_str_eqz(bx_val_get_str(event, "type"), "user") && !bx_seq_in(rewound, count, seq))
        return 0;
    return bx_fail(err, BX_ERR_INVALID,
                   "event %" PRIu64 " is no message of this conversation that could be replaced",
                   seq);
}

int bx_session_rewind(struct bx_session *s, uint64_t to, struct bx_err *err) {
    char body[64];
    int rc = bx_session_check_rewind(s, to, err);
    if (rc)
        return rc;
    snprintf(body, sizeof body, "{\"to\":%" PRIu64 "}", to);
    return bx_session_append(s, "rewind", bx_str(body), BX_BATCHED, NULL, err);
}
