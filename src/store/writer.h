/* store/writer.h: a whole session written at once, for copies and imports: it is in the list when all of it is on disk, or not
 * at all.
 *
 * One thread at a time. The first error stays: later calls do nothing and the commit returns it. */
#ifndef BX_STORE_WRITER_H
#define BX_STORE_WRITER_H

#include "store/session.h"

struct bx_session_writer {
    struct bx_store *store;
    struct bx_session_header header; /* id and times; its strings are in the file */
    char *path, *temporary;
    int fd;
    struct bx_buf buf;
    uint64_t last_seq;
    bool over;
    int rc;
    struct bx_err err;
};

/* As bx_session_create, but for the file. */
void bx_session_writer_begin(struct bx_session_writer *w, struct bx_store *store, const struct bx_session_header *h);
/* A session's file written anew, in the place of the old one; its header is bx_session_writer_header's. */
void bx_session_writer_begin_over(struct bx_session_writer *w, struct bx_store *store, const char *id, const char *path);
void bx_session_writer_header(struct bx_session_writer *w, struct bx_str line);
/* The next event; body: one JSON object on one line, its members stand behind seq, t and type. */
void bx_session_writer_event(struct bx_session_writer *w, const char *type, int64_t t_ms, struct bx_str body);
/* An event as it stands in a session's file, with its seq: events that are missing before it are filled with `gap`. */
void bx_session_writer_line(struct bx_session_writer *w, uint64_t seq, struct bx_str line);
/* ret may be NULL after begin_over: then it is not opened. */
int bx_session_writer_commit(struct bx_session_writer *w, struct bx_session **ret, struct bx_err *err);
void bx_session_writer_deinit(struct bx_session_writer *w); /* without a commit nothing is left */

#endif
