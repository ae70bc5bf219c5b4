/* Sessions on disk: what was acknowledged is there, what failed is not, and a damaged file opens as
 * far as it can. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/id.h"
#include "base/path.h"
#include "json/write.h"
#include "store/internal.h"
#include "store/session.h"

/* The program's own pwrite and fdatasync stand before libc's, so that a test can let them fail. */
static struct {
    int write_errno, sync_errno;
    size_t write_bytes; /* so many more bytes fit on the disk; counts only with write_errno */
    int syncs;
    off_t first_written; /* the lowest place that was written */
} disk;

ssize_t pwrite(int fd, const void *p, size_t n, off_t offset);
ssize_t pwrite(int fd, const void *p, size_t n, off_t offset) {
    if (disk.write_errno) {
        if (disk.write_bytes == 0) {
            errno = disk.write_errno;
            return -1;
        }
        n = BX_MIN(n, disk.write_bytes);
        disk.write_bytes -= n;
    }
    disk.first_written = BX_MIN(disk.first_written, offset);
    return syscall(SYS_pwrite64, fd, p, n, offset);
}

int fdatasync(int fd);
int fdatasync(int fd) {
    __atomic_add_fetch(&disk.syncs, 1, __ATOMIC_RELAXED);
    if (disk.sync_errno) {
        errno = disk.sync_errno;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

struct fixture {
    char dir[64];
    struct bx_store *store;
};

static int setup(void **state) {
    struct fixture *f = bx_new(struct fixture);
    snprintf(f->dir, sizeof f->dir, "/tmp/bx-test-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    assert_int_equal(bx_store_open(f->dir, BX_STORE_OWNER, &f->store, NULL), 0);
    memset(&disk, 0, sizeof disk);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    memset(&disk, 0, sizeof disk);
    bx_store_close(f->store);
    bx_dir_remove(f->dir, NULL);
    bx_free(f);
    return 0;
}

/* From the disk, unless somebody still holds it. */
static int open_fresh(struct bx_store *store, const char *id, struct bx_session **ret,
                      struct bx_err *err) {
    bx_recent_forget(store, NULL);
    return bx_session_open(store, id, ret, err);
}

static struct bx_session *make(struct fixture *f) {
    struct bx_session_header h = {.model = "p/m", .mode = "default", .root = "/r"};
    struct bx_session *s = NULL;
    assert_int_equal(bx_session_create(f->store, &h, &s, NULL), 0);
    return s;
}

static uint64_t append(struct bx_session *s, const char *type, const char *body,
                       enum bx_durability d) {
    uint64_t seq = 0;
    struct bx_err err = {0};
    if (bx_session_append(s, type, bx_str(body), d, &seq, &err) < 0)
        fail_msg("%s", err.msg);
    return seq;
}

static char *all(struct bx_session *s, struct bx_cursor *c) {
    bx_auto(bx_buf_deinit) struct bx_buf out = BX_BUF_INIT(BX_MIB * 64);
    struct bx_err err = {0};
    int n;
    while ((n = bx_session_read(s, c, BX_MIB, &out, &err)) > 0)
        ;
    if (n < 0)
        fail_msg("%s", err.msg);
    return bx_strdup(bx_buf_z(&out));
}

static size_t count_lines(const char *text) {
    size_t n = 0;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static char *path_of(struct fixture *f, const char *id) {
    return bx_asprintf("%s/sessions/%s.jsonl", f->dir, id);
}

static char *slurp(const char *path, size_t *ret_n) {
    struct bx_buf b = BX_BUF_INIT(64 * BX_MIB);
    assert_int_equal(bx_file_read(path, &b, NULL), 0);
    *ret_n = b.size;
    return bx_buf_steal(&b);
}

static void spit(const char *path, const char *p, size_t n) {
    int fd = open(path, O_WRONLY | O_TRUNC | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(bx_write_all(fd, p, n), 0);
    close(fd);
}

static void test_append_and_read(void **state) {
    struct fixture *f = *state;
    bx_auto(bx_session_unrefp) struct bx_session *s = make(f);
    assert_int_equal(append(s, "user", "{\"run\":\"r\",\"text\":\"hällo\"}", BX_DURABLE), 1);
    assert_int_equal(append(s, "usage", "{}", BX_BATCHED), 2);
    assert_int_equal(append(s, "title", "{\"title\":\"new\"}", BX_BATCHED), 3);
    struct bx_cursor c = {.next_seq = 1};
    bx_auto(bx_freep) char *text = all(s, &c);
    assert_int_equal(count_lines(text), 3);
    assert_int_equal(c.next_seq, 4);
    assert_non_null(strstr(text, "{\"seq\":1,\"t\":\"20"));
    assert_non_null(strstr(text, "\"type\":\"user\",\"run\":\"r\",\"text\":\"hällo\"}\n"));
    assert_non_null(strstr(text, "\"type\":\"usage\"}\n"));
    bx_auto(bx_freep) char *title = bx_session_title(s);
    assert_string_equal(title, "new");
    bx_auto(bx_freep) char *model = bx_session_model(s);
    assert_string_equal(model, "p/m");
    struct bx_buf tiny = BX_BUF_INIT(BX_MIB);
    struct bx_cursor one = {.next_seq = 2};
    assert_int_equal(bx_session_read(s, &one, 1, &tiny, NULL),
                     1); /* a line is never cut by max_bytes */
    assert_int_equal(one.next_seq, 3);
    bx_buf_deinit(&tiny);
}

static void test_bad_bodies(void **state) {
    struct fixture *f = *state;
    bx_auto(bx_session_unrefp) struct bx_session *s = make(f);
    static const char *const bad[] = {"", "{", "[]", "1", "{\"a\":\n1}", "x{}"};
    for (size_t i = 0; i < BX_ARRAY_LEN(bad); i++) {
        assert_int_equal(bx_session_append(s, "usage", bx_str(bad[i]), BX_BATCHED, NULL, NULL),
                         BX_ERR_INVALID);
        assert_int_equal(
            bx_session_append(s, "tool_result", bx_str(bad[i]), BX_BATCHED, NULL, NULL),
            BX_ERR_INVALID);
    }
    /* half a rule in an answer: the whole line would be lost */
    assert_int_equal(bx_session_append(s, "answer", bx_str("{\"rule\":{\"command\":\"ec}"),
                                       BX_DURABLE, NULL, NULL),
                     BX_ERR_INVALID);
    assert_int_equal(bx_session_last_seq(s), 0);
}

static void test_deltas_in_order(void **state) {
    struct fixture *f = *state;
    bx_auto(bx_session_unrefp) struct bx_session *s = make(f);
    append(s, "user", "{\"text\":\"a\"}", BX_BATCHED);
    bx_session_delta(s, BX_STR_LIT("{\"type\":\"delta\",\"text\":\"d1\"}"));
    bx_session_delta(s, BX_STR_LIT("{\"type\":\"delta\",\"text\":\"d2\"}"));
    append(s, "assistant", "{\"text\":\"b\"}", BX_BATCHED);
    bx_session_delta(s, BX_STR_LIT("{\"type\":\"delta\",\"text\":\"d3\"}"));
    struct bx_cursor c = {.next_seq = 1};
    bx_auto(bx_freep) char *text = all(s, &c);
    const char *order[] = {"\"seq\":1", "d1", "d2", "\"seq\":2", "d3"};
    const char *at = text;
    for (size_t i = 0; i < BX_ARRAY_LEN(order); i++) {
        at = strstr(at, order[i]);
        assert_non_null(at);
    }
    assert_int_equal(count_lines(text), 5);
    /* One line at a time gives the same order. */
    struct bx_cursor slow = {.next_seq = 1};
    bx_auto(bx_buf_deinit) struct bx_buf out = BX_BUF_INIT(BX_MIB);
    while (bx_session_read(s, &slow, 1, &out, NULL) > 0)
        ;
    assert_string_equal(bx_buf_z(&out), text);
    /* Who is past an event does not get what stood before it. */
    struct bx_cursor late = {.next_seq = 3};
    bx_auto(bx_freep) char *rest = all(s, &late);
    assert_null(strstr(rest, "d2"));
    assert_non_null(strstr(rest, "d3"));
}

static void test_ring_is_bounded(void **state) {
    struct fixture *f = *state;
    bx_auto(bx_session_unrefp) struct bx_session *s = make(f);
    append(s, "user", "{\"text\":\"a\"}", BX_BATCHED);
    for (int i = 0; i < 20000; i++) {
        char body[128];
        int n =
            snprintf(body, sizeof body, "{\"type\":\"delta\",\"n\":%d,\"text\":\"%064d\"}", i, i);
        bx_session_delta(s, bx_str_n(body, (size_t)n));
    }
    struct bx_cursor c = {.next_seq = 2};
    bx_auto(bx_freep) char *text = all(s, &c);
    assert_true(strlen(text) <= 260 * 1024);
    assert_true(strlen(text) > 200 * 1024);
    assert_null(strstr(text, "\"n\":0,"));
    assert_non_null(strstr(text, "\"n\":19999,"));
}

static void test_same_object_and_reopen(void **state) {
    struct fixture *f = *state;
    struct bx_session *s = make(f), *again = NULL;
    char id[37];
    memcpy(id, bx_session_header(s)->id, 37);
    append(s, "user", "{\"text\":\"first words\"}", BX_DURABLE);
    append(s, "model", "{\"model\":\"q/n\"}", BX_DURABLE);
    assert_int_equal(open_fresh(f->store, id, &again, NULL), 0);
    assert_ptr_equal(s, again);
    bx_session_unref(s);
    bx_session_unref(again);
    assert_int_equal(open_fresh(f->store, id, &s, NULL), 0);
    assert_int_equal(bx_session_last_seq(s), 2);
    assert_string_equal(bx_session_header(s)->model, "p/m");
    bx_auto(bx_freep) char *model = bx_session_model(s);
    assert_string_equal(model, "q/n");
    assert_int_equal(append(s, "usage", "{}", BX_DURABLE), 3);
    bx_session_unref(s);
    assert_int_equal(open_fresh(f->store, "0", &s, NULL), BX_ERR_NOTFOUND);
    assert_int_equal(open_fresh(f->store, "../../../../etc/passwd-aaaaaaaaaaaaaa", &s, NULL),
                     BX_ERR_NOTFOUND);
}

/* Durable appends only where a file is changed behind the session's back: a batched one keeps it
 * open a little longer.
 *
 * Whatever part of the last line reached the disk: the events before it are all there, and the next
 * append is whole. */
/* A page reads a session by many requests: it stays open for a while, unless its file was changed
 * by other hands. */
static void test_recent_ones_stay_open(void **state) {
    struct fixture *f = *state;
    struct bx_session *s = make(f), *others[20];
    char id[37];
    memcpy(id, bx_session_header(s)->id, 37);
    append(s, "usage", "{}", BX_DURABLE);
    bx_session_delta(s, BX_STR_LIT("{\"type\":\"delta\"}")); /* lives as long as the object */
    for (int round = 0; round < 3; round++) {
        bx_session_unref(s);
        if (round == 1) { /* other hands */
            bx_auto(bx_freep) char *path = path_of(f, id);
            size_t n;
            bx_auto(bx_freep) char *bytes = slurp(path, &n);
            bx_auto(bx_freep) char *more =
                bx_asprintf("%.*s{\"seq\":2,\"t\":\"x\",\"type\":\"usage\"}\n", (int)n, bytes);
            spit(path, more, strlen(more));
        }
        assert_int_equal(bx_session_open(f->store, id, &s, NULL), 0);
        struct bx_cursor c = {.next_seq = 1};
        bx_auto(bx_freep) char *text = all(s, &c);
        assert_int_equal(strstr(text, "delta") != NULL, round == 0);
        assert_int_equal(bx_session_last_seq(s), round == 0 ? 1 : 2);
    }
    bx_session_delta(s, BX_STR_LIT("{\"type\":\"delta\"}"));
    bx_session_unref(s);
    for (size_t i = 0; i < BX_ARRAY_LEN(others); i++) /* others take its place */
        bx_session_unref(others[i] = make(f));
    assert_int_equal(bx_session_open(f->store, id, &s, NULL), 0);
    struct bx_cursor c = {.next_seq = 1};
    bx_auto(bx_freep) char *text = all(s, &c);
    assert_null(strstr(text, "delta"));
    bx_session_unref(s);
}

static void test_torn_at_every_byte(void **state) {
    struct fixture *f = *state;
    struct bx_session *s = make(f);
    char id[37];
    memcpy(id, bx_session_header(s)->id, 37);
    append(s, "user", "{\"text\":\"one\"}", BX_DURABLE);
    append(s, "usage", "{}", BX_DURABLE);
    bx_auto(bx_freep) char *path = path_of(f, id);
    size_t before, whole;
    bx_free(slurp(path, &before));
    append(s, "tool_result", "{\"content\":\"a \\\"quoted\\\" \\n text\"}", BX_DURABLE);
    bx_auto(bx_freep) char *bytes = slurp(path, &whole);
    bx_session_unref(s);
    for (size_t n = before; n <= whole; n++) {
        spit(path, bytes, n);
        assert_int_equal(open_fresh(f->store, id, &s, NULL), 0);
        assert_int_equal(bx_session_last_seq(s), n == whole ? 3 : 2);
        assert_int_equal(bx_session_torn_bytes(s), n == whole ? 0 : n - before);
        assert_int_equal(bx_session_damaged_lines(s), 0);
        uint64_t seq = append(s, "usage", "{}", BX_DURABLE);
        assert_int_equal(seq, n == whole ? 4 : 3);
        struct bx_cursor c = {.next_seq = 1};
        bx_auto(bx_freep) char *text = all(s, &c);
        assert_int_equal(count_lines(text), seq);
        bx_session_unref(s);
        assert_int_equal(open_fresh(f->store, id, &s, NULL),
                         0); /* nothing of the torn line stayed behind the new one */
        assert_int_equal(bx_session_torn_bytes(s), 0);
        assert_int_equal(bx_session_last_seq(s), seq);
        bx_session_unref(s);
    }
}

static void test_damaged_line(void **state) {
    struct fixture *f = *state;
    struct bx_session *s = make(f);
    char id[37];
    memcpy(id, bx_session_header(s)->id, 37);
    for (int i = 0; i < 9; i++)
        append(s, "usage", "{\"ms\":1}", BX_DURABLE);
    bx_session_unref(s);
    bx_auto(bx_freep) char *path = path_of(f, id);
    size_t n;
    bx_auto(bx_freep) char *bytes = slurp(path, &n);
    memset(strstr(bytes, "\"seq\":4"), 'x', 5);
    memset(strstr(bytes, "\"seq\":6"), 'x', 5);
    memset(strstr(bytes, "\"seq\":9"), 'x', 5); /* the last one */
    spit(path, bytes, n);
    assert_int_equal(open_fresh(f->store, id, &s, NULL), 0);
    assert_int_equal(bx_session_damaged_lines(s), 3);
    assert_int_equal(bx_session_last_seq(s), 8);
    struct bx_cursor c = {.next_seq = 1};
    bx_auto(bx_freep) char *text = all(s, &c);
    assert_int_equal(count_lines(text), 6);
    assert_null(strstr(text, "xxxx"));
    assert_int_equal(append(s, "usage", "{}", BX_DURABLE), 9);
    bx_auto(bx_freep) char *next = all(s, &c);
    assert_int_equal(count_lines(next), 1);
    bx_session_unref(s);
    bx_auto(bx_freep) char *wild =
        bx_asprintf("%.*s{\"seq\":9007199254740993,\"type\":\"usage\"}\n",
                    (int)strcspn(bytes, "\n") + 1, bytes);
    spit(path, wild, strlen(wild));
    assert_int_equal(open_fresh(f->store, id, &s, NULL),
                     0); /* and not memory for all the events before it */
    assert_int_equal(bx_session_last_seq(s), 0);
    assert_int_equal(bx_session_damaged_lines(s), 1);
    bx_session_unref(s);
    spit(path, "\0\0\0\0\n", 5);
    assert_int_equal(open_fresh(f->store, id, &s, NULL), BX_ERR_DAMAGED);
    struct bx_session_list list;
    assert_int_equal(bx_store_list(f->store, &(struct bx_session_filter){0}, 10, &list, NULL), 0);
    assert_int_equal(list.n, 1);
    bx_session_list_deinit(&list);
}

static void test_full_disk(void **state) {
    struct fixture *f = *state;
    struct bx_session *s = make(f);
    char id[37];
    memcpy(id, bx_session_header(s)->id, 37);
    append(s, "user", "{\"text\":\"one\"}", BX_DURABLE);
    bx_auto(bx_freep) char *path = path_of(f, id);
    size_t before, after;
    bx_free(slurp(path, &before));
    for (size_t room = 0; room < 40; room++) {
        disk.write_errno = ENOSPC;
        disk.write_bytes = room;
        struct bx_err err = {0};
        int rc = bx_session_append(s, "usage", BX_STR_LIT("{\"ms\":1234567890}"),
                                   room % 2 ? BX_DURABLE : BX_BATCHED, NULL, &err);
        assert_int_equal(rc, BX_ERR_LIMIT);
        assert_non_null(strstr(err.msg, "disk is full"));
        disk.write_errno = 0;
        bx_free(slurp(path, &after));
        assert_int_equal(after, before); /* nothing half */
        assert_int_equal(bx_session_last_seq(s), 1);
    }
    struct bx_cursor c = {.next_seq = 1};
    bx_auto(bx_freep) char *text = all(s, &c);
    assert_int_equal(count_lines(text), 1);
    assert_int_equal(append(s, "usage", "{}", BX_DURABLE), 2); /* there is room again */
    bx_session_unref(s);
}

static void test_sync_fails(void **state) {
    struct fixture *f = *state;
    bx_auto(bx_session_unrefp) struct bx_session *s = make(f);
    append(s, "user", "{\"text\":\"one\"}", BX_DURABLE);
    bx_auto(bx_freep) char *path = path_of(f, bx_session_header(s)->id);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    disk.sync_errno = EIO;
    append(s, "usage", "{}", BX_BATCHED);
    struct bx_err err = {0};
    assert_int_equal(bx_session_append(s, "tool_result", BX_STR_LIT("{}"), BX_DURABLE, NULL, &err),
                     BX_ERR_IO);
    assert_non_null(strstr(err.msg, "not saved"));
    assert_int_equal(bx_session_last_seq(s), 2); /* what was not acknowledged is not there */
    disk.sync_errno = 0;
    disk.first_written = INT64_MAX;
    assert_int_equal(append(s, "tool_result", "{}", BX_DURABLE), 3);
    /* The kernel may have dropped the batched event at the failed sync: it was written once more.
     */
    assert_int_equal(disk.first_written, st.st_size);
}

static void test_durable_means_synced(void **state) {
    struct fixture *f = *state;
    bx_auto(bx_session_unrefp) struct bx_session *s = make(f);
    disk.syncs = 0;
    append(s, "user", "{\"text\":\"one\"}", BX_DURABLE);
    assert_int_equal(disk.syncs, 1);
}

static void test_batched_is_synced_soon(void **state) {
    struct fixture *f = *state;
    struct bx_session *s = make(f);
    disk.syncs = 0;
    for (int i = 0; i < 50; i++)
        append(s, "usage", "{}", BX_BATCHED);
    bx_session_unref(s);
    bx_store_close(f->store); /* waits for the flusher */
    assert_true(disk.syncs >= 1);
    assert_true(disk.syncs <= 50);
    assert_int_equal(bx_store_open(f->dir, BX_STORE_OWNER, &f->store, NULL), 0);
}

static void counted(void *user) {
    __atomic_add_fetch((int *)user, 1, __ATOMIC_RELAXED);
}

static void test_watch(void **state) {
    struct fixture *f = *state;
    bx_auto(bx_session_unrefp) struct bx_session *s = make(f);
    int calls = 0;
    struct bx_session_watch w = {.fn = counted, .user = &calls};
    bx_session_watch(s, &w);
    append(s, "usage", "{}", BX_BATCHED);
    bx_session_delta(s, BX_STR_LIT("{\"type\":\"delta\"}"));
    assert_int_equal(calls, 2);
    bx_session_unwatch(s, &w);
    append(s, "usage", "{}", BX_BATCHED);
    assert_int_equal(calls, 2);
}

/* A child appends and tells us through a pipe what was acknowledged; it is killed at a random
 * moment. */
static void test_kill_loop(void **state) {
    struct fixture *f = *state;
    struct bx_session *s = make(f);
    char id[37];
    memcpy(id, bx_session_header(s)->id, 37);
    bx_session_unref(s);
    bx_store_close(f->store);
    uint64_t acknowledged = 0;
    for (int round = 0; round < 300; round++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        pid_t pid = fork();
        if (pid == 0) {
            struct bx_store *store;
            close(ends[0]);
            if (bx_store_open(f->dir, BX_STORE_OWNER, &store, NULL) < 0 ||
                bx_session_open(store, id, &s, NULL) < 0)
                _exit(3);
            for (;;) {
                uint64_t seq;
                if (bx_session_append(
                        s, "tool_result",
                        BX_STR_LIT("{\"content\":\"0123456789012345678901234567890123456789\"}"),
                        BX_DURABLE, &seq, NULL) < 0 ||
                    write(ends[1], &seq, sizeof seq) != sizeof seq)
                    _exit(4);
            }
        }
        close(ends[1]);
        uint64_t seq;
        int want = round % 5; /* some rounds die while opening */
        while (want-- > 0 && read(ends[0], &seq, sizeof seq) == sizeof seq)
            acknowledged = seq;
        kill(pid, SIGKILL);
        while (read(ends[0], &seq, sizeof seq) == sizeof seq)
            acknowledged = seq;
        close(ends[0]);
        int status;
        waitpid(pid, &status, 0);
        assert_true(WIFSIGNALED(status));
    }
    assert_true(acknowledged > 200);
    assert_int_equal(bx_store_open(f->dir, BX_STORE_OWNER, &f->store, NULL), 0);
    assert_int_equal(open_fresh(f->store, id, &s, NULL), 0);
    assert_true(bx_session_last_seq(s) >= acknowledged);
    assert_int_equal(bx_session_damaged_lines(s), 0);
    struct bx_cursor c = {.next_seq = 1};
    bx_auto(bx_freep) char *text = all(s, &c);
    assert_int_equal(count_lines(text), bx_session_last_seq(s));
    bx_session_unref(s);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_append_and_read, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_bodies, setup, teardown),
        cmocka_unit_test_setup_teardown(test_deltas_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ring_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_same_object_and_reopen, setup, teardown),
        cmocka_unit_test_setup_teardown(test_recent_ones_stay_open, setup, teardown),
        cmocka_unit_test_setup_teardown(test_torn_at_every_byte, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damaged_line, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full_disk, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sync_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(test_durable_means_synced, setup, teardown),
        cmocka_unit_test_setup_teardown(test_batched_is_synced_soon, setup, teardown),
        cmocka_unit_test_setup_teardown(test_watch, setup, teardown),
        cmocka_unit_test_setup_teardown(test_kill_loop, setup, teardown),
    };
    return cmocka_run_group_tests_name("store session", tests, NULL, NULL);
}
