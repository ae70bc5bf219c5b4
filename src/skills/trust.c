#include "skills/trust.h"

#include <fcntl.h>
#include <sys/file.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/path.h"
#include "base/unwire.h"
#include "json/write.h"
#include "skills/internal.h"
#include "skills/yaml.h"

#define FILE_MAX (4 * BX_MIB)

/* The root's by their place in it, so that a worktree of the same project needs no second yes;
 * others by their place on the machine. */
static char *key_of(const struct bx_skill *s) {
    return s->in_root ? bx_asprintf("root:%s", s->folder) : bx_skill_path(s);
}

static struct bx_doc *read_all(const char *state) {
    struct bx_doc *doc = NULL;
    if (!state)
        return NULL;
    bx_auto(bx_freep) char *path = bx_path_join(state, "skills.json");
    struct bx_json_limits limits = {.max_size_bytes = FILE_MAX};
    return bx_doc_read_file(path, &limits, &doc, NULL) ? NULL : doc;
}

static const struct bx_val *record_of(const struct bx_doc *doc, const struct bx_skill *s) {
    bx_auto(bx_freep) char *key = key_of(s);
    return doc ? bx_val_get(bx_val_get(bx_doc_root(doc), "skills"), key) : NULL;
}

/* ---- looking ---- */

struct look { /* digest and text in one reading */
    struct bx_sha256 hash;
    struct bx_buf text;
};

static int look_at(void *user, const char *name, struct bx_str bytes, bool is_program,
                   struct bx_err *err) {
    struct look *l = user;
    (void)err;
    bx_skill_hash_file(&l->hash, name, bytes, is_program);
    if (strcmp(name, BX_SKILL_FILE) == 0)
        bx_buf_adds(&l->text, bytes);
    return 0;
}

/* Is it the skill that was approved? Then its text is kept as it was read for that. */
static bool is_approved(struct bx_skill *s, const char *digest) {
    struct look l = {.text = BX_BUF_INIT(2 * BX_MIB)};
    char now[BX_SHA256_HEX + 1], front[BX_SHA256_HEX + 1];
    bx_sha256_init(&l.hash);
    int rc = bx_skill_each_file(s, look_at, &l, NULL);
    bx_skill_hash_end(&l.hash, now);
    bx_sha256_hex_of(l.text.size ? l.text.p : "", BX_MIN(l.text.size, BX_SKILL_FRONT_READ), front);
    /* the front matter was read before: it must be the same text */
    bool same = !rc && strcmp(now, digest) == 0 && strcmp(front, s->front_digest) == 0;
    if (same) {
        bx_free(s->text);
        s->text_bytes = l.text.size;
        s->text = bx_buf_steal(&l.text);
    }
    bx_buf_deinit(&l.text);
    return same;
}

void bx_skills_mark_trust(struct bx_skills *s, const char *state) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = read_all(state);
    for (size_t i = 0; i < s->n; i++) {
        struct bx_skill *k = &s->items[i];
        const struct bx_val *record = record_of(doc, k);
        const char *digest = bx_val_get_z(record, "digest");
        if (!bx_skill_usable(k) || k->files || (!k->in_root && !digest))
            continue;
        k->untrusted = (!digest || !is_approved(k, digest)) && !bx_unwired("skill_trust");
        bx_free(k->approved);
        k->approved = digest ? bx_strdup(digest) : NULL;
    }
}

/* ---- changing ---- */

static void write_record(struct bx_jw *w, const struct bx_val *old, const char *from,
                         const char *digest) {
    char now[25];
    bx_time_format(bx_wall_ms(), now);
    from = from ? from : bx_val_get_z(old, "from");
    bx_jw_obj(w);
    bx_jw_kstr(w, "digest", digest);
    if (from)
        bx_jw_kstr(w, "from", from);
    bx_jw_kstr(w, "at", now);
    bx_jw_end(w);
}

/* digest NULL: the record goes. */
static int change(const char *state, const struct bx_skill *s, const char *from, const char *digest,
                  struct bx_err *err) {
    bx_auto(bx_freep) char *path = bx_path_join(state, "skills.json"),
                           *lock_path = bx_path_join(state, "skills.lock"), *key = key_of(s);
    bx_auto(bx_fd_close) int lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0 || flock(lock, LOCK_EX) < 0)
        return bx_fail_errno(err, errno, "%s cannot be locked", lock_path);
    bx_auto(bx_doc_freep) struct bx_doc *doc = read_all(state);
    bx_auto(bx_buf_deinit) struct bx_buf out = BX_BUF_INIT(FILE_MAX);
    struct bx_jw w;
    const struct bx_val *old = NULL;
    bx_jw_init(&w, &out);
    bx_jw_obj(&w);
    bx_jw_kint(&w, "v", 1);
    bx_jw_kobj(&w, "skills");
    bx_val_foreach_member (bx_val_get(doc ? bx_doc_root(doc) : NULL, "skills"), name, value) {
        if (bx_str_eqz(name, key)) {
            old = value;
            continue;
        }
        bx_jw_keys(&w, name);
        bx_jw_val(&w, value);
    }
    if (digest) {
        bx_jw_key(&w, key);
        write_record(&w, old, from, digest);
    }
    bx_jw_end(&w);
    bx_jw_end(&w);
    bx_buf_addc(&out, '\n');
    return bx_buf_failed(&out) ? bx_fail(err, BX_ERR_LIMIT, "%s would be larger than 4 MiB", path)
                               : bx_file_write_atomic(path, bx_buf_str(&out), 0600, err);
}

int bx_skill_trust(const char *state, const struct bx_skill *s, const char *digest,
                   struct bx_err *err) {
    return change(state, s, NULL, digest, err);
}

int bx_skill_record(const char *state, const struct bx_skill *s, const char *from,
                    const char *digest, struct bx_err *err) {
    return change(state, s, from, digest, err);
}

int bx_skill_forget(const char *state, const struct bx_skill *s, struct bx_err *err) {
    return change(state, s, NULL, NULL, err);
}

void bx_skill_recorded(const char *state, const struct bx_skill *s, char **ret_from,
                       char **ret_digest) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = read_all(state);
    const struct bx_val *record = record_of(doc, s);
    const char *from = bx_val_get_z(record, "from"), *digest = bx_val_get_z(record, "digest");
    *ret_from = from ? bx_strdup(from) : NULL;
    *ret_digest = digest ? bx_strdup(digest) : NULL;
}
