#include "tools/seen.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/map.h"
#include "base/thread.h"
#include "base/unwire.h"
#include "tools/beneath.h"
#include "tools/reach.h"
#include "tools/session.h"

bool bx_file_effect_parse(struct bx_str name, enum bx_file_effect *ret) {
    static const char *const names[] = {
        [BX_FILE_SEES] = "sees", [BX_FILE_CHANGES] = "changes", [BX_FILE_REPLACES] = "replaces"};
    for (size_t i = BX_FILE_SEES; i < BX_ARRAY_LEN(names); i++) {
        if (bx_str_eqz(name, names[i])) {
            *ret = (enum bx_file_effect)i;
            return true;
        }
    }
    return false;
}

static void version_free(void *version) {
    bx_free(version);
}

void bx_seen_init(struct bx_seen *s) {
    s->versions = bx_map_new(version_free);
}

void bx_seen_deinit(struct bx_seen *s) {
    bx_map_free(s->versions);
}

/* ---- the host's look ---- */

/* The real path of what the descriptor is, as the kernel knows it; NULL when it has none. */
static char *path_of(int fd) {
    char link[32], path[PATH_MAX + 16];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path);
    return n > 0 && (size_t)n < sizeof path ? bx_str_dup(bx_str_n(path, (size_t)n)) : NULL;
}

/* O_PATH opens nothing: a pipe does not wait, a device does nothing. */
static void look(struct bx_seen_file *f, const struct bx_grant *grant) {
    bx_auto(bx_fd_close) int fd = bx_open_beneath(grant, f->path, BX_BENEATH_ANY, O_PATH);
    struct stat st;
    bx_free(f->key);
    f->key = NULL;
    if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode))
        return;
    f->key = path_of(fd);
    f->version = (struct bx_file_version){
        .device = st.st_dev,
        .inode = st.st_ino,
        .size = (uint64_t)st.st_size,
        .mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
    };
}

static bool same(const struct bx_file_version *a, const struct bx_file_version *b) {
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->mtime_ns == b->mtime_ns;
}

/* ---- what the session remembers ---- */

/* Lock held. */
static void remember(struct bx_seen *s, const struct bx_seen_file *f) {
    struct bx_str key = bx_str(f->key), oldest;
    bx_map_remove(s->versions, key); /* so that it stands last */
    for (size_t at = 0; bx_map_count(s->versions) >= BX_SEEN_FILES_MAX &&
                        bx_map_next(s->versions, &at, &oldest, NULL);)
        bx_map_remove(s->versions, oldest);
    struct bx_file_version *v = bx_new(struct bx_file_version);
    *v = f->version;
    bx_map_put(s->versions, key, v);
}

/* Lock held. */
static int judge(const struct bx_seen *s, const struct bx_seen_file *f, enum bx_file_effect effect,
                 struct bx_err *err) {
    const struct bx_file_version *seen = bx_map_get(s->versions, bx_str(f->key));
    const char *name = f->path + (*f->path == '/');
    if (seen && !same(seen, &f->version))
        return bx_fail(err, BX_ERR_DENIED,
                       "%.200s has changed since you last read it (by the user, another program or "
                       "a command): nothing was written. Read it again, then make the change anew",
                       name);
    if (!seen && effect == BX_FILE_REPLACES && f->version.size)
        return bx_fail(err, BX_ERR_DENIED,
                       "%.200s exists already (%" PRIu64
                       " bytes) and you have not read it: nothing "
                       "was written. Read it first; then write replaces it, or edit changes a part",
                       name, f->version.size);
    return 0;
}

int bx_seen_begin(struct bx_seen_call *c, struct bx_tool_session *session,
                  enum bx_file_effect effect, const struct bx_call_reach *reach,
                  const struct bx_grant *grant, struct bx_err *err) {
    if (!session || effect == BX_FILE_NONE)
        return 0;
    c->session = session;
    c->grant = grant;
    c->effect = effect;
    for (size_t i = 0; i < reach->path_count && c->n < BX_SEEN_CALL_MAX; i++) {
        c->files[c->n].path = reach->paths[i];
        look(&c->files[c->n++], grant);
    }
    if (effect == BX_FILE_SEES || bx_unwired("stale"))
        return 0;
    BX_LOCKED(&session->lock);
    int rc = 0;
    for (size_t i = 0; !rc && i < c->n; i++)
        if (c->files[i].key)
            rc = judge(&session->seen, &c->files[i], effect, err);
    return rc;
}

void bx_seen_end(struct bx_seen_call *c, bool succeeded) {
    if (!c->session || !succeeded)
        return;
    /* What was read is what stood there before: if it changed meanwhile, that is noticed next time.
     * What was written stands there now. */
    for (size_t i = 0; c->effect != BX_FILE_SEES && i < c->n; i++)
        look(&c->files[i], c->grant);
    BX_LOCKED(&c->session->lock);
    for (size_t i = 0; i < c->n; i++)
        if (c->files[i].key)
            remember(&c->session->seen, &c->files[i]);
}

void bx_seen_call_deinit(struct bx_seen_call *c) {
    for (size_t i = 0; i < c->n; i++)
        bx_free(c->files[i].key);
    *c = (struct bx_seen_call){0};
}
