/* box/answer.h: where the answer to an outbound request goes: to a guest (call_http.c), or into a buffer, for tools of the
 * host's own. The functions that fill it are those of box.h; this is their other side. */
#ifndef BX_BOX_ANSWER_H
#define BX_BOX_ANSWER_H

#include "box/box.h"

struct bx_outbound_answer { /* the first member of who takes it */
    int (*head)(struct bx_outbound_answer *a, unsigned status, const struct bx_outbound_header *headers, size_t header_count);
    int (*body)(struct bx_outbound_answer *a, struct bx_str piece);
};

/* Kept as it comes. body is born with the maximum: BX_ERR_LIMIT beyond it. */
struct bx_outbound_kept {
    struct bx_outbound_answer answer;
    unsigned status;
    char content_type[128];
    struct bx_buf body;
};
void bx_outbound_kept_init(struct bx_outbound_kept *k, size_t max_bytes);
void bx_outbound_kept_deinit(struct bx_outbound_kept *k);

#endif
