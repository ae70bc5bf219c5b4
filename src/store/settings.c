/* settings.json and auth.json: small documents that people also edit by hand, read anew each time.
 */
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/id.h"
#include "base/path.h"
#include "json/write.h"
#include "store/internal.h"
#include "store/retention.h"

#define DOCUMENT_MAX_BYTES (4 * BX_MIB)

/* An absent file is an empty object. */
static int read_object(const char *path, struct bx_doc **ret, struct bx_err *err) {
    struct bx_json_limits limits = {.max_size_bytes = DOCUMENT_MAX_BYTES};
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    int rc = bx_file_exists(path) ? bx_doc_read_file(path, &limits, &doc, err)
                                  : bx_doc_parse(BX_STR_LIT("{}"), NULL, &doc, err);
    if (rc < 0)
        return rc;
    if (!bx_val_is(bx_doc_root(doc), BX_VAL_OBJ))
        return bx_fail(err, BX_ERR_INVALID, "'%s' must hold one JSON object, it holds %s", path,
                       bx_val_type_name(bx_doc_root(doc)));
    *ret = bx_steal(&doc);
    return 0;
}

static int check_settings(const char *path, const struct bx_val *root, struct bx_err *err) {
    static const struct {
        const char *name;
        enum bx_val_type type;
        const char *should;
    } known[] = {
        {"model", BX_VAL_STR, "a string"},      {"mode", BX_VAL_STR, "a string"},
        {"providers", BX_VAL_OBJ, "an object"}, {"limits", BX_VAL_OBJ, "an object"},
        {"rules", BX_VAL_ARR, "an array"},      {"max_turns", BX_VAL_INT, "a whole number"},
        {"mounts", BX_VAL_ARR, "an array"},     {"mcpServers", BX_VAL_OBJ, "an object"},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(known); i++) {
        const struct bx_val *v = bx_val_get(root, known[i].name);
        if (v && !bx_val_is(v, known[i].type))
            return bx_fail(err, BX_ERR_INVALID, "%s: \"%s\" must be %s, it is %s", path,
                           known[i].name, known[i].should, bx_val_type_name(v));
    }
    struct bx_retention retention;
    int rc = bx_retention_read(root, &retention, err);
    return rc < 0 ? bx_wrap(err, rc, "%s", path) : 0;
}

/* The members of `patch` in place of those of `base`; null removes. Order is kept. */
static int write_patched(const char *path, const struct bx_val *base, const struct bx_val *patch,
                         struct bx_doc **ret_doc, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf flat = BX_BUF_INIT(2 * DOCUMENT_MAX_BYTES);
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(2 * DOCUMENT_MAX_BYTES);
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    struct bx_jw w;
    bx_jw_init(&w, &flat);
    bx_jw_obj(&w);
    bx_val_foreach_member (base, key, value) {
        if (!bx_val_get_n(patch, key)) {
            bx_jw_keys(&w, key);
            bx_jw_val(&w, value);
        }
    }
    bx_val_foreach_member (patch, name, change) {
        if (!bx_val_is(change, BX_VAL_NULL)) {
            bx_jw_keys(&w, name);
            bx_jw_val(&w, change);
        }
    }
    bx_jw_end(&w);
    int rc = bx_doc_parse(bx_buf_str(&flat), NULL, &doc, err);
    if (rc < 0)
        return rc;
    if (ret_doc) { /* the shape is checked before anything is written */
        rc = check_settings("settings.json", bx_doc_root(doc), err);
        if (rc < 0)
            return rc;
    }
    bx_json_pretty(&text, bx_doc_root(doc));
    if (!bx_str_ends(bx_buf_str(&text), "\n"))
        bx_buf_addc(&text, '\n');
    if (bx_buf_failed(&flat) || bx_buf_failed(&text) || text.size > DOCUMENT_MAX_BYTES)
        return bx_fail(err, BX_ERR_LIMIT, "'%s' would become larger than %zu bytes", path,
                       DOCUMENT_MAX_BYTES);
    rc = bx_file_write_atomic(path, bx_buf_str(&text), 0600, err);
    if (rc == 0 && ret_doc)
        *ret_doc = bx_steal(&doc);
    return rc;
}

int bx_settings_load(struct bx_store *s, struct bx_doc **ret, struct bx_err *err) {
    bx_auto(bx_freep) char *path = bx_path_join(s->dir, "settings.json");
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    BX_LOCKED(&s->files_lock);
    int rc = read_object(path, &doc, err);
    if (rc == 0)
        rc = check_settings(path, bx_doc_root(doc), err);
    if (rc == 0)
        *ret = bx_steal(&doc);
    return rc;
}

/* One change at a time, whichever process makes it. */
static int lock_settings(const struct bx_store *s, struct bx_err *err) {
    bx_auto(bx_freep) char *path = bx_path_join(s->dir, "settings.lock");
    bx_auto(bx_fd_close) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || flock(fd, LOCK_EX) < 0)
        return bx_fail_errno(err, errno, "'%s' cannot be locked", path);
    int locked = fd;
    fd = -1;
    return locked;
}

int bx_settings_change(struct bx_store *s, bx_settings_change_fn *change, void *user,
                       struct bx_err *err) {
    bx_auto(bx_freep) char *path = bx_path_join(s->dir, "settings.json");
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL, *patch = NULL, *after = NULL;
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(2 * DOCUMENT_MAX_BYTES);
    BX_LOCKED(&s->files_lock);
    int rc = bx_dir_make_lasting(s->dir, 0700, err);
    bx_auto(bx_fd_close) int lock = rc < 0 ? -1 : lock_settings(s, err);
    if (lock < 0)
        return rc < 0 ? rc : lock;
    if ((rc = read_object(path, &doc, err)) < 0 ||
        (rc = change(user, bx_doc_root(doc), &text, err)) < 0)
        return rc;
    if ((rc = bx_doc_parse(bx_buf_str(&text), NULL, &patch, err)) < 0)
        return rc;
    return write_patched(path, bx_doc_root(doc), bx_doc_root(patch), &after, err);
}

static int copy_patch(void *user, const struct bx_val *settings, struct bx_buf *patch,
                      struct bx_err *err) {
    struct bx_jw w;
    (void)settings, (void)err;
    bx_jw_init(&w, patch);
    bx_jw_val(&w, user);
    return 0;
}

int bx_settings_patch(struct bx_store *s, const struct bx_val *patch, struct bx_err *err) {
    if (!bx_val_is(patch, BX_VAL_OBJ))
        return bx_fail(err, BX_ERR_INVALID, "a change of the settings must be an object, it is %s",
                       bx_val_type_name(patch));
    return bx_settings_change(s, copy_patch, (void *)(uintptr_t)patch, err);
}

uint64_t bx_settings_stamp(struct bx_store *s) {
    bx_auto(bx_freep) char *path = bx_path_join(s->dir, "settings.json");
    struct stat st;
    if (stat(path, &st) < 0)
        return 0;
    const uint64_t facts[] = {(uint64_t)st.st_ino, (uint64_t)st.st_size,
                              (uint64_t)st.st_mtim.tv_sec, (uint64_t)st.st_mtim.tv_nsec,
                              (uint64_t)st.st_dev};
    return bx_str_hash(bx_str_n((const char *)facts, sizeof facts)) | 1;
}

static char *auth_path(const struct bx_store *s) {
    return bx_path_join(s->dir, "auth.json");
}

char *bx_secret_get(struct bx_store *s, const char *name) {
    bx_auto(bx_freep) char *path = auth_path(s);
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    BX_LOCKED(&s->files_lock);
    if (read_object(path, &doc, NULL) < 0)
        return NULL;
    return bx_strdup(bx_val_get_z(bx_doc_root(doc), name));
}

/* The messages of the JSON reader may quote the text, and this text is secret: they are replaced.
 */
static int read_secrets(const char *path, struct bx_doc **ret, struct bx_err *err) {
    if (access(path, R_OK) < 0 && errno != ENOENT)
        return bx_fail_errno(err, errno, "'%s' cannot be read", path);
    return read_object(path, ret, NULL) < 0
               ? bx_fail(err, BX_ERR_DAMAGED, "'%s' is not a JSON object: mend it or move it away",
                         path)
               : 0;
}

/* files_lock is held. */
static int set_secret(struct bx_store *s, const char *name, const char *value, struct bx_err *err) {
    bx_auto(bx_freep) char *path = auth_path(s);
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL, *patch = NULL;
    int rc = read_secrets(path, &doc, err);
    if (rc < 0)
        return rc;
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(BX_MIB);
    struct bx_jw w;
    bx_jw_init(&w, &text);
    bx_jw_obj(&w);
    bx_jw_kstr(&w, name, value);
    bx_jw_end(&w);
    if (bx_buf_failed(&text) || bx_doc_parse(bx_buf_str(&text), NULL, &patch, NULL) < 0)
        return bx_fail(err, BX_ERR_LIMIT, "the value for \"%s\" is too long", name);
    return write_patched(path, bx_doc_root(doc), bx_doc_root(patch), NULL, err);
}

int bx_secret_set(struct bx_store *s, const char *name, const char *value, struct bx_err *err) {
    BX_LOCKED(&s->files_lock);
    int rc = bx_dir_make_lasting(s->dir, 0700, err);
    bx_auto(bx_fd_close) int lock = rc < 0 ? -1 : lock_settings(s, err);
    if (lock < 0)
        return rc < 0 ? rc : lock;
    return set_secret(s, name, value, err);
}

int bx_secrets_each(struct bx_store *s, void (*fn)(void *user, struct bx_str name), void *user,
                    struct bx_err *err) {
    bx_auto(bx_freep) char *path = auth_path(s);
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    BX_LOCKED(&s->files_lock);
    int rc = read_secrets(path, &doc, err);
    if (rc == 0)
        bx_val_foreach_member (bx_doc_root(doc), name, value) {
            (void)value;
            fn(user, name);
        }
    return rc;
}

int bx_secrets_make_private(struct bx_store *s, struct bx_err *err) {
    bx_auto(bx_freep) char *path = auth_path(s);
    struct stat st;
    s->secrets_were_open = stat(path, &st) == 0 && st.st_mode & 077;
    if (s->secrets_were_open && chmod(path, 0600) < 0)
        return bx_fail_errno(err, errno, "'%s' must be private to you", path);
    return 0;
}

bool bx_secrets_were_open(const struct bx_store *s) {
    return s->secrets_were_open;
}

int bx_secret_make_missing(struct bx_store *s, struct bx_err *err) {
    static const char *const names[] = {"api_token", "install_key"};
    for (size_t i = 0; i < BX_ARRAY_LEN(names); i++) {
        bx_auto(bx_freep) char *have = bx_secret_get(s, names[i]);
        unsigned char bytes[32];
        char hex[65];
        if (have && *have)
            continue;
        bx_random(bytes, sizeof bytes);
        bx_hex(bytes, sizeof bytes, hex);
        int rc = bx_secret_set(s, names[i], hex, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}
