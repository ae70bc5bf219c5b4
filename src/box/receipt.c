#include "box/receipt.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/path.h"
#include "base/thread.h"
#include "base/utf8.h"
#include "base/vec.h"

#define LINE_MAX_BYTES (256 * BX_KIB)
#define DAY_LEN        10

struct bx_receipts {
    char *dir;
    pthread_mutex_t mutex;
    char day[DAY_LEN + 1]; /* of the open file */
    int fd;
    off_t size; /* of the file when `last` was true */
    char last[BX_SHA256_HEX + 1];
    struct bx_buf line;
};

int bx_receipts_open(const char *dir, struct bx_receipts **ret, struct bx_err *err) {
    int code = bx_dir_make(dir, 0700, err);
    if (code < 0) {
        return code;
    }
    struct bx_receipts *r = bx_new(struct bx_receipts);
    r->dir = bx_strdup(dir);
    r->fd = -1;
    r->line = BX_BUF_INIT(LINE_MAX_BYTES);
    pthread_mutex_init(&r->mutex, NULL);
    *ret = r;
    return 0;
}

void bx_receipts_close(struct bx_receipts *r) {
    if (r) {
        bx_fd_close(&r->fd);
        bx_buf_deinit(&r->line);
        pthread_mutex_destroy(&r->mutex);
        bx_free(r->dir);
        bx_free(r);
    }
}

/* Digest of the last line of a file; "" for an empty file. A torn line has no newline: *ret_torn.
 */
static int digest_of_last(int fd, off_t size, char out[static BX_SHA256_HEX + 1], bool *ret_torn) {
    off_t from = size > (off_t)LINE_MAX_BYTES ? size - (off_t)LINE_MAX_BYTES : 0;
    size_t n = (size_t)(size - from);
    out[0] = '\0';
    *ret_torn = false;
    if (n == 0) {
        return 0;
    }
    bx_auto(bx_freep) char *tail = bx_alloc(n);
    if (pread(fd, tail, n, from) != (ssize_t)n) {
        return BX_ERR_IO;
    }
    *ret_torn = tail[n - 1] != '\n';
    size_t end = *ret_torn ? n : n - 1, start = end;
    while (start > 0 && tail[start - 1] != '\n') {
        start--;
    }
    bx_sha256_hex_of(tail + start, end - start, out);
    return 0;
}

struct newest {
    const char *before; /* NULL: any */
    char name[32];
};

static int pick_newest(void *user, const char *name) {
    struct newest *n = user;
    if (strlen(name) == DAY_LEN + 6 && bx_str_ends(bx_str(name), ".jsonl") &&
        (!n->before || strcmp(name, n->before) < 0) && strcmp(name, n->name) > 0) {
        snprintf(n->name, sizeof n->name, "%s", name);
    }
    return 0;
}

/* The line before the first of a new day is the last of an earlier one. */
static void digest_of_earlier(const char *dir, const char *day_file,
                              char out[static BX_SHA256_HEX + 1]) {
    struct newest newest = {.before = day_file};
    struct stat st;
    bool torn;
    out[0] = '\0';
    bx_dir_each(dir, pick_newest, &newest, NULL);
    if (newest.name[0]) {
        bx_auto(bx_freep) char *path = bx_path_join(dir, newest.name);
        bx_auto(bx_fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0 && fstat(fd, &st) == 0) {
            digest_of_last(fd, st.st_size, out, &torn);
        }
    }
}

static int open_day(struct bx_receipts *r, const char *day, struct bx_err *err) {
    if (r->fd >= 0 && strcmp(r->day, day) == 0) {
        return 0;
    }
    bx_auto(bx_freep) char *path = bx_asprintf("%s/%s.jsonl", r->dir, day);
    bx_fd_close(&r->fd);
    r->fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (r->fd < 0) {
        return bx_fail_errno(err, errno, "the receipt cannot be written to %.300s", path);
    }
    memcpy(r->day, day, DAY_LEN + 1);
    r->size = -1;
    return 0;
}

/* With the file locked: makes r->last true again when somebody else appended. */
static int catch_up(struct bx_receipts *r, bool *ret_torn, struct bx_err *err) {
    struct stat st;
    char name[DAY_LEN + 8];
    *ret_torn = false;
    if (fstat(r->fd, &st) != 0) {
        return bx_fail_errno(err, errno, "the receipts cannot be read");
    }
    if (st.st_size == r->size) {
        return 0;
    }
    r->size = st.st_size;
    if (st.st_size == 0) {
        snprintf(name, sizeof name, "%s.jsonl", r->day);
        digest_of_earlier(r->dir, name, r->last);
        return 0;
    }
    return digest_of_last(r->fd, st.st_size, r->last, ret_torn) < 0
               ? bx_fail(err, BX_ERR_IO, "the receipts cannot be read")
               : 0;
}

void bx_receipt_write_hosts(struct bx_jw *w, const struct bx_receipt_host *hosts, size_t count) {
    bx_jw_kobj(w, "hosts");
    for (size_t i = 0; i < count; i++) {
        bx_jw_kobj(w, hosts[i].host);
        bx_jw_kuint(w, "sent_bytes", hosts[i].sent_bytes);
        bx_jw_kuint(w, "received_bytes", hosts[i].received_bytes);
        bx_jw_kbool(w, "denied", hosts[i].denied);
        bx_jw_end(w);
    }
    bx_jw_end(w);
}

/* The command is content: only the pattern is said. */
static void write_barred(struct bx_jw *w, const struct bx_receipt *c) {
    bx_jw_karr(w, "not_started");
    for (size_t i = 0; i < c->barred_count; i++) {
        const struct bx_bar *bar = &c->granted->bars[c->barred[i].bar];
        bx_jw_obj(w);
        struct bx_str pattern = bx_str(bar->pattern);
        bx_jw_kstrn(w, "pattern", bx_str_slice(pattern, 0, bx_utf8_cut(pattern, 200)));
        if (bar->rule) {
            bx_jw_kstr(w, "rule", bar->rule);
        }
        bx_jw_kuint(w, "times", c->barred[i].times);
        bx_jw_end(w);
    }
    bx_jw_end(w);
}

static void write_line(struct bx_buf *out, const struct bx_receipt *c, const char *id,
                       const char *stamp, const char *previous, const char *input_digest,
                       const char *output_digest) {
    struct bx_jw w;
    bx_jw_init(&w, out);
    bx_jw_obj(&w);
    bx_jw_kstr(&w, "id", id);
    bx_jw_kstr(&w, "t", stamp);
    bx_jw_kstr(&w, "previous", previous);
    bx_jw_kstr(&w, "tool", c->tool);
    bx_jw_kstr(&w, "call", c->call_id);
    bx_jw_kstr(&w, "digest", c->digest);
    bx_jw_kstr(&w, "input_digest", input_digest);
    bx_jw_kstr(&w, "output_digest", output_digest);
    bx_jw_key(&w, "granted");
    if (c->granted) {
        bx_grant_write(&w, c->granted);
    } else {
        bx_jw_null(&w);
    }
    bx_jw_kobj(&w, "used");
    bx_jw_kuint(&w, "fuel", c->fuel);
    bx_jw_kuint(&w, "peak_memory", c->memory_peak_bytes);
    bx_jw_kuint(&w, "wall_us", c->wall_us);
    bx_jw_kuint(&w, "cpu_us", c->cpu_us);
    bx_jw_kuint(&w, "stdout_bytes", c->out_bytes);
    bx_receipt_write_hosts(&w, c->hosts, c->host_count);
    bx_jw_end(&w);
    bx_jw_kobj(&w, "permit");
    bx_jw_kstr(&w, "decision", c->permit.decision);
    bx_jw_kstr(&w, "by", c->permit.by);
    bx_jw_kstr(&w, "rule", c->permit.rule);
    bx_jw_end(&w);
    if (c->barred_count) {
        write_barred(&w, c);
    }
    bx_jw_kstr(&w, "limit", c->limit);
    bx_jw_kstr(&w, "verdict", c->verdict);
    if (c->reason && c->reason[0]) {
        bx_jw_kstr(&w, "reason", c->reason);
    }
    bx_jw_end(&w);
}

int bx_receipts_append(struct bx_receipts *r, const struct bx_receipt *c,
                       char ret_id[static BX_ID_LEN + 1], struct bx_err *err) {
    char stamp[25], day[DAY_LEN + 1] = "", in[BX_SHA256_HEX + 1], out[BX_SHA256_HEX + 1];
    bool torn;
    bx_sha256_hex_of(c->input.p, c->input.n, in);
    bx_sha256_hex_of(c->output.p, c->output.n, out);
    bx_id_new(ret_id);
    BX_LOCKED(&r->mutex);
    bx_time_format(bx_wall_ms(), stamp);
    memcpy(day, stamp, DAY_LEN);
    int code = open_day(r, day, err);
    if (code < 0) {
        return code;
    }
    flock(r->fd, LOCK_EX);
    code = catch_up(r, &torn, err);
    if (code == 0) {
        bx_buf_reset(&r->line);
        if (torn) {
            bx_buf_addc(&r->line, '\n');
        }
        write_line(&r->line, c, ret_id, stamp, r->last, in, out);
        size_t skip = torn ? 1 : 0;
        bx_sha256_hex_of(r->line.p + skip, r->line.size - skip, r->last);
        bx_buf_addc(&r->line, '\n');
        int e = bx_buf_failed(&r->line) ? -EFBIG : bx_write_all(r->fd, r->line.p, r->line.size);
        r->size = e < 0 ? -1 : r->size + (off_t)r->line.size;
        code = e < 0 ? bx_fail_errno(err, -e, "the receipt cannot be written") : 0;
        r->line.failed = false;
    }
    flock(r->fd, LOCK_UN);
    return code;
}

struct names {
    BX_VEC(char *) list;
};

static int add_name(void *user, const char *name) {
    struct names *n = user;
    if (strlen(name) == DAY_LEN + 6 && bx_str_ends(bx_str(name), ".jsonl")) {
        bx_vec_push(&n->list, bx_strdup(name));
    }
    return 0;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* One file; last: digest of the line before, "" at the start of the chain. */
static int verify_file(const char *path, const char *name, char last[static BX_SHA256_HEX + 1],
                       size_t *count, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf all = BX_BUF_INIT(1024 * BX_MIB);
    int code = bx_file_read(path, &all, err);
    struct bx_str rest = bx_buf_str(&all), line;
    for (size_t number = 1; code == 0 && bx_str_split(&rest, '\n', &line); number++) {
        if (line.n == 0 && rest.n == 0) {
            break;
        }
        bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
        bool readable = bx_doc_parse(line, NULL, &doc, NULL) == 0;
        struct bx_str previous =
            readable ? bx_val_get_str(bx_doc_root(doc), "previous") : bx_str(last);
        if (last[0] && !bx_str_eqz(previous, last)) {
            return bx_fail(err, BX_ERR_DAMAGED,
                           "the receipts are not what was written: %s line %zu does not follow the "
                           "line before",
                           name, number);
        }
        bx_sha256_hex_of(line.p, line.n, last);
        (*count)++;
    }
    return code;
}

int bx_receipts_verify(const char *dir, size_t *ret_count, struct bx_err *err) {
    struct names names = {0};
    char last[BX_SHA256_HEX + 1] = "";
    size_t count = 0;
    int code = bx_dir_each(dir, add_name, &names, err);
    if (names.list.n > 0) {
        qsort(names.list.p, names.list.n, sizeof *names.list.p, by_name);
    }
    for (size_t i = 0; i < names.list.n; i++) {
        bx_auto(bx_freep) char *path = bx_path_join(dir, names.list.p[i]);
        code = code < 0 ? code : verify_file(path, names.list.p[i], last, &count, err);
        bx_free(names.list.p[i]);
    }
    bx_vec_free(&names.list);
    if (code == 0) {
        *ret_count = count;
    }
    return code;
}
