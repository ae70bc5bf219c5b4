#include "agent/memory.h"

#include "base/file.h"
#include "base/path.h"
#include "base/thread.h"
#include "base/utf8.h"

/* Two runs may remember something at the same time; a person's editor is beyond this. */
static pthread_mutex_t changing = PTHREAD_MUTEX_INITIALIZER;

char *bx_memory_path(const char *state_dir) {
    return bx_path_join(state_dir, "memory.md");
}

int bx_memory_read(const char *state_dir, char **ret_text, struct bx_err *err) {
    bx_auto(bx_freep) char *path = bx_memory_path(state_dir);
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(BX_MIB),
                                         clean = BX_BUF_INIT(4 * BX_MIB);
    int rc = bx_file_read(path, &text, err);
    if (rc && rc != BX_ERR_NOTFOUND)
        return rc;
    bx_utf8_add_clean(&clean, bx_buf_str(&text));
    bx_buf_addz(&clean, "");
    *ret_text = bx_buf_steal(&clean);
    return 0;
}

static int put(const char *state_dir, struct bx_str text, struct bx_err *err) {
    if (text.n > BX_MEMORY_MAX_BYTES)
        return bx_fail(err, BX_ERR_LIMIT,
                       "the memory may be %zu bytes long, this is %zu: shorten it",
                       (size_t)BX_MEMORY_MAX_BYTES, text.n);
    if (!bx_utf8_valid(text))
        return bx_fail(err, BX_ERR_INVALID, "the memory must be UTF-8 text");
    bx_auto(bx_freep) char *path = bx_memory_path(state_dir);
    int rc = bx_dir_make_lasting(state_dir, 0700, err);
    return rc ? rc : bx_file_write_atomic(path, text, 0600, err);
}

void bx_memory_digest(const char *text, char out[static BX_SHA256_HEX + 1]) {
    bx_sha256_hex_of(text, strlen(text), out);
}

static int still(const char *state_dir, const char *digest, struct bx_err *err) {
    bx_auto(bx_freep) char *now = NULL;
    char hex[BX_SHA256_HEX + 1];
    int rc = bx_memory_read(state_dir, &now, err);
    if (rc)
        return rc;
    bx_memory_digest(now, hex);
    return strcmp(hex, digest) == 0
               ? 0
               : bx_fail(err, BX_ERR_EXISTS,
                         "the memory has changed meanwhile, nothing was written: read it again, "
                         "take over what is new, and save with the digest that it has now");
}

int bx_memory_write(const char *state_dir, struct bx_str text, const char *digest,
                    struct bx_err *err) {
    BX_LOCKED(&changing); /* else a run that remembers puts back what it read before */
    int rc = digest ? still(state_dir, digest, err) : 0;
    return rc ? rc : put(state_dir, text, err);
}

static bool has_line(struct bx_str text, struct bx_str wanted) {
    struct bx_str line;
    while (bx_str_split(&text, '\n', &line))
        if (bx_str_eq(bx_str_trim(line), wanted))
            return true;
    return false;
}

int bx_memory_add(const char *state_dir, struct bx_str text, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf line = BX_BUF_INIT(8 * BX_KIB),
                                         all = BX_BUF_INIT(2 * BX_MIB);
    bx_auto(bx_freep) char *old = NULL;
    text = bx_str_trim(text);
    if (!text.n || text.n > BX_MEMORY_LINE_MAX)
        return bx_fail(err, BX_ERR_INVALID,
                       text.n ? "one memory is at most %d bytes long"
                              : "there is nothing to remember",
                       BX_MEMORY_LINE_MAX);
    bx_buf_addz(&line, "- ");
    for (size_t i = 0; i < text.n; i++) /* one line each, whatever it holds */
        bx_buf_addc(&line, (unsigned char)text.p[i] < ' ' ? ' ' : text.p[i]);
    BX_LOCKED(&changing);
    int rc = bx_memory_read(state_dir, &old, err);
    if (rc)
        return rc;
    if (has_line(bx_str(old), bx_buf_str(&line)))
        return 1;
    bx_buf_addz(&all, old);
    if (all.size && all.p[all.size - 1] != '\n')
        bx_buf_addc(&all, '\n');
    bx_buf_adds(&all, bx_buf_str(&line));
    bx_buf_addc(&all, '\n');
    if (all.size > BX_MEMORY_MAX_BYTES)
        return bx_fail(err, BX_ERR_LIMIT,
                       "the memory is full (%d KiB): what is no longer needed must be taken out "
                       "first, by the user",
                       (int)(BX_MEMORY_MAX_BYTES / BX_KIB));
    return put(state_dir, bx_buf_str(&all), err);
}
