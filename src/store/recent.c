/* The sessions that were opened last stay open for a while. Only in the owner's process: a reader's
 * files are changed by another one. A file that was changed by hand meanwhile is read anew. */
#include <sys/stat.h>

#include "store/session_impl.h"

struct bx_session *bx_recent_touch(struct bx_store *s, struct bx_session *session) {
    size_t at = 0;
    if (s->mode != BX_STORE_OWNER)
        return NULL;
    while (at < BX_RECENT_SESSIONS - 1 && s->recent[at] && s->recent[at] != session)
        at++;
    struct bx_session *out = s->recent[at] == session ? NULL : s->recent[at];
    if (s->recent[at] != session)
        session->refs++;
    memmove(&s->recent[1], &s->recent[0], at * sizeof s->recent[0]);
    s->recent[0] = session;
    return out;
}

static void take_out(struct bx_store *s, size_t at) {
    memmove(&s->recent[at], &s->recent[at + 1],
            (BX_RECENT_SESSIONS - at - 1) * sizeof s->recent[0]);
    s->recent[BX_RECENT_SESSIONS - 1] = NULL;
}

bool bx_recent_is_stale(struct bx_store *s, struct bx_session *session) {
    struct stat here, there;
    bx_auto(bx_freep) char *path = bx_store_session_path(s, session->header.id);
    if (session->refs > 1)
        return false; /* somebody works with it */
    size_t at = 0;
    while (at < BX_RECENT_SESSIONS && s->recent[at] != session)
        at++;
    if (at == BX_RECENT_SESSIONS ||
        (fstat(session->fd, &here) == 0 && stat(path, &there) == 0 && here.st_ino == there.st_ino &&
         here.st_dev == there.st_dev && (uint64_t)there.st_size == session->end &&
         there.st_mtim.tv_sec == session->stamp.tv_sec &&
         there.st_mtim.tv_nsec == session->stamp.tv_nsec))
        return false;
    take_out(s, at);
    return true;
}

void bx_recent_forget(struct bx_store *s, const char *id) {
    for (size_t at = 0; at < BX_RECENT_SESSIONS;) {
        struct bx_session *out = NULL;
        {
            BX_LOCKED(&s->table_lock);
            out = s->recent[at];
            if (out && (!id || strcmp(out->header.id, id) == 0))
                take_out(s, at);
            else
                out = NULL;
        }
        if (!out)
            at++;
        bx_session_unref(out);
    }
}
