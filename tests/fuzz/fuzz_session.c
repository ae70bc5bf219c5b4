/* Session files of any content: what opens is consistent, what does not is refused, and the list
 * shows it either way. */
#include "fuzz/fuzz.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "store/scan.h"
#include "store/session.h"

#define ID "01a0f3b2-0000-7000-8000-000000000001"

static void check(bool ok, const char *what) {
    if (!ok)
        bx_die("fuzz_session: %s", what);
}

static uint64_t scan(const uint8_t *data, size_t size, bool *ret_opens) {
    bx_auto(bx_fd_close) int fd = memfd_create("session", MFD_CLOEXEC);
    check(fd >= 0 && bx_write_all(fd, data, size) == 0, "no memory file");
    bx_auto(bx_scan_deinit) struct bx_scan s = {0};
    check(bx_scan_fd(fd, true, &s, NULL) == 0, "a file that can be read must be scanned");
    check(s.end <= size && (s.end == 0 || data[s.end - 1] == '\n'), "the end is a line's end");
    check(s.offsets.n == s.last_seq, "one offset a seq");
    uint64_t events = 0;
    for (size_t i = 0; i < s.offsets.n; i++) {
        if (s.offsets.p[i] == BX_NO_EVENT)
            continue;
        check(s.offsets.p[i] < s.end, "an event is inside the file");
        events++;
    }
    check(events == s.facts.events, "events are counted once");
    *ret_opens = s.header != NULL;
    return events;
}

/* One state folder for the whole run. */
static struct bx_store *store(char **ret_path) {
    static char dir[] = "/tmp/bx-fuzz-XXXXXX";
    static struct bx_store *s;
    static char *path;
    if (!s) {
        struct bx_err err = {0};
        if (!mkdtemp(dir) || bx_store_open(dir, BX_STORE_OWNER, &s, &err) < 0)
            bx_die("fuzz_session: %s", err.msg);
        path = bx_asprintf("%s/sessions/" ID ".jsonl", dir);
    }
    *ret_path = path;
    return s;
}

static void remove_store(void) {
    char *path;
    struct bx_store *s = store(&path);
    bx_auto(bx_freep) char *dir = bx_strdup(bx_store_dir(s));
    bx_store_close(s);
    bx_free(path);
    bx_dir_remove(dir, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static bool registered;
    bool opens;
    char *path;
    uint64_t events = scan(data, size, &opens);
    struct bx_store *s = store(&path);
    if (!registered)
        registered = atexit(remove_store) == 0;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    check(fd >= 0 && bx_write_all(fd, data, size) == 0, "no file");
    bx_fd_close(&fd);
    struct bx_session *session = NULL;
    int rc = bx_session_open(s, ID, &session, NULL);
    check((rc == 0) == opens, "what scans opens");
    if (rc < 0)
        return 0;
    struct bx_buf out = BX_BUF_INIT(size + 4096);
    struct bx_cursor cursor = {.next_seq = 1};
    uint64_t read_lines = 0;
    while ((rc = bx_session_read(session, &cursor, 512, &out, NULL)) > 0)
        read_lines += (uint64_t)rc;
    check(rc == 0 && read_lines == events, "every readable event is read");
    uint64_t seq = 0, last = bx_session_last_seq(session);
    if (size % 8 == 0) { /* waits for the disk: not every time */
        check(bx_session_append(session, "usage", BX_STR_LIT("{\"ms\":1}"), BX_DURABLE, &seq,
                                NULL) == 0,
              "it can go on");
        check(seq == last + 1 && bx_session_read(session, &cursor, 512, &out, NULL) == 1,
              "and what is added is read");
    }
    bx_buf_deinit(&out);
    bx_session_unref(session);
    return 0;
}
