/* bench-watchers PORT TOKEN WATCHERS SESSION…: that many WebSockets, each watching one of the
 * sessions, until it has seen the end of a run there. Prints "ready" when all have caught up, and
 * at the end one JSON object:
 *
 *   {"watchers","events","lost","doubled","text_bytes","text_missing_bytes","unfinished","ms"}
 *
 * lost: events whose number never came; text_missing_bytes: what the deltas of a turn were short of
 * the text that its `assistant` event carried. One thread. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/file.h"
#include "json/json.h"

#define SILENCE_MS 30000 /* nobody got anything for so long: the rest is lost */
#define FRAME_MAX  (16 * BX_MIB)
#define READ_BYTES (64 * BX_KIB)
#define OP_TEXT    1
#define OP_CLOSE   8
#define OP_PING    9

struct watcher {
    int fd;
    const char *session;
    struct bx_buf in;
    uint64_t last_seq;
    uint64_t delta_bytes; /* of the turn that is being streamed */
    bool upgraded, caught_up, finished;
};

struct totals {
    uint64_t events, lost, doubled, text_bytes, text_missing_bytes;
    size_t caught_up, finished;
};

static struct totals totals;

static void fail(const char *what) {
    fprintf(stderr, "bench-watchers: %s\n", what);
    exit(1);
}

static void send_all(struct watcher *w, const void *p, size_t n) {
    if (bx_write_all(w->fd, p, n) != 0) {
        fail("a connection broke");
    }
}

/* A client's frame: masked, here with zeros. */
static void send_frame(struct watcher *w, int op, const char *text, size_t n) {
    unsigned char frame[512] = {(unsigned char)(0x80 | op)};
    size_t head = n < 126 ? 6 : 8;
    frame[1] = (unsigned char)(0x80 | (n < 126 ? n : 126));
    if (n >= 126) {
        frame[2] = (unsigned char)(n >> 8);
        frame[3] = (unsigned char)n;
    }
    if (head + n > sizeof frame) {
        fail("a frame is too large");
    }
    memcpy(frame + head, text, n);
    send_all(w, frame, head + n);
}

static void subscribe(struct watcher *w) {
    char text[160];
    int n = snprintf(text, sizeof text, "{\"op\":\"subscribe\",\"session\":\"%.60s\",\"from\":1}",
                     w->session);
    send_frame(w, OP_TEXT, text, (size_t)n);
}

static void take_event(struct watcher *w, const struct bx_val *event) {
    struct bx_str type = bx_val_get_str(event, "type");
    uint64_t seq = (uint64_t)bx_val_get_int(event, "seq", 0);
    if (seq == 0) {
        w->delta_bytes += bx_str_eqz(type, "delta") ? bx_val_get_str(event, "text").n : 0;
        w->delta_bytes = bx_str_eqz(type, "delta_reset") ? 0 : w->delta_bytes;
        return;
    }
    totals.events++;
    totals.doubled += seq <= w->last_seq;
    totals.lost += seq > w->last_seq ? seq - w->last_seq - 1 : 0;
    w->last_seq = BX_MAX(w->last_seq, seq);
    if (bx_str_eqz(type, "assistant")) {
        size_t whole = bx_val_get_str(event, "text").n;
        totals.text_bytes += whole;
        totals.text_missing_bytes += whole - BX_MIN(w->delta_bytes, whole);
        w->delta_bytes = 0;
    } else if (bx_str_eqz(type, "run_end") && !w->finished) {
        w->finished = true;
        totals.finished++;
    }
}

static void take_text(struct watcher *w, struct bx_str text) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    if (bx_doc_parse(text, NULL, &doc, NULL) < 0) {
        fail("a message is not JSON");
    }
    const struct bx_val *root = bx_doc_root(doc);
    struct bx_str op = bx_val_get_str(root, "op");
    if (bx_str_eqz(op, "event")) {
        take_event(w, bx_val_get(root, "event"));
    } else if (bx_str_eqz(op, "caught_up") && !w->caught_up) {
        w->caught_up = true;
        totals.caught_up++;
    } else if (bx_str_eqz(op, "error")) {
        fail(bx_val_get_z(root, "text"));
    }
}

/* One frame off the front; false when it is not whole yet. */
static bool take_frame(struct watcher *w, size_t *at) {
    const unsigned char *p = (const unsigned char *)w->in.p + *at;
    size_t left = w->in.size - *at, head = 2;
    if (left < head) {
        return false;
    }
    uint64_t n = p[1] & 0x7f;
    unsigned more = n == 126 ? 2 : n == 127 ? 8 : 0;
    head += more;
    if (left < head) {
        return false;
    }
    for (unsigned i = 0; i < more; i++) {
        n = i == 0 ? p[2] : n << 8 | p[2 + i];
    }
    if (left - head < n) {
        return false;
    }
    struct bx_str body = bx_str_n((const char *)p + head, (size_t)n);
    if ((p[0] & 15) == OP_TEXT) {
        take_text(w, body);
    } else if ((p[0] & 15) == OP_PING) {
        send_frame(w, OP_PING + 1, body.p, body.n);
    } else if ((p[0] & 15) == OP_CLOSE) {
        fail("the server closed a connection");
    }
    *at += head + (size_t)n;
    return true;
}

static void on_readable(struct watcher *w) {
    char *space = bx_buf_space(&w->in, READ_BYTES);
    ssize_t n = space ? read(w->fd, space, READ_BYTES) : -1;
    size_t at = 0;
    if (n <= 0) {
        fail("a connection ended");
    }
    bx_buf_grew(&w->in, (size_t)n);
    if (!w->upgraded) {
        size_t end = bx_str_find_str(bx_buf_str(&w->in), BX_STR_LIT("\r\n\r\n"));
        if (end == (size_t)-1) {
            return;
        }
        if (!bx_str_starts(bx_buf_str(&w->in), "HTTP/1.1 101")) {
            fail("the server refused a WebSocket");
        }
        w->upgraded = true;
        at = end + 4;
        subscribe(w);
    }
    while (take_frame(w, &at)) {
    }
    bx_buf_consume(&w->in, at);
}

static void open_watcher(struct watcher *w, uint16_t port, const char *token, int epoll) {
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char request[512];
    w->in = BX_BUF_INIT(FRAME_MAX);
    w->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (w->fd < 0 || connect(w->fd, (struct sockaddr *)&to, sizeof to) != 0) {
        fail("cannot connect");
    }
    int n = snprintf(
        request, sizeof request,
        "GET /ws HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        "Authorization: Bearer %.200s\r\n\r\n",
        (unsigned)port, token);
    send_all(w, request, (size_t)n);
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = w};
    epoll_ctl(epoll, EPOLL_CTL_ADD, w->fd, &ev);
}

static void run(int epoll, size_t count) {
    struct epoll_event events[256];
    bool ready = false;
    uint64_t began = bx_mono_ms();
    while (totals.finished < count) {
        int n = epoll_wait(epoll, events, BX_ARRAY_LEN(events), SILENCE_MS);
        if (n == 0) {
            break;
        }
        for (int i = 0; i < n; i++) {
            on_readable(events[i].data.ptr);
        }
        if (!ready && totals.caught_up == count) {
            ready = true;
            began = bx_mono_ms();
            printf("ready\n");
            fflush(stdout);
        }
    }
    printf("{\"watchers\":%zu,\"events\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"doubled\":%" PRIu64
           ",\"text_bytes\":%" PRIu64 ",\"text_missing_bytes\":%" PRIu64
           ",\"unfinished\":%zu,\"ms\":%" PRIu64 "}\n",
           count, totals.events, totals.lost, totals.doubled, totals.text_bytes,
           totals.text_missing_bytes, count - totals.finished, bx_mono_ms() - began);
}

int main(int argc, char **argv) {
    uint64_t port = 0, count = 0;
    if (argc < 5 || !bx_str_to_u64(bx_str(argv[1]), &port) || port > 65535 ||
        !bx_str_to_u64(bx_str(argv[3]), &count)) {
        fprintf(stderr, "usage: %s PORT TOKEN WATCHERS SESSION...\n", argv[0]);
        return 2;
    }
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct watcher *watchers = bx_alloc(count * sizeof *watchers);
    memset(watchers, 0, count * sizeof *watchers);
    for (size_t i = 0; i < count; i++) {
        watchers[i].session = argv[4 + i % (size_t)(argc - 4)];
        open_watcher(&watchers[i], (uint16_t)port, argv[2], epoll);
    }
    run(epoll, (size_t)count);
    return 0;
}
