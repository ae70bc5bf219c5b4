/* The client against a server of this file: one thread that answers each path with canned bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/thread.h"
#include "fetch/fetch.h"

struct server {
    int fd;
    uint16_t port;
    pthread_t thread;
    atomic_int connections;
    atomic_int marked; /* requests for /marked: those of other tests, which nobody waited for, may
                          still come */
    pthread_mutex_t lock;
    char last[8192]; /* the last request's head */
};

static char big[300000];

static void make_big(void) {
    int n = snprintf(big, sizeof big, "HTTP/1.1 200 OK\r\nContent-Length: 250000\r\n\r\n");
    memset(big + n, 'x', 250000);
}

static const char *answer_for(const char *head) {
    if (strstr(head, " /ok ")) {
        return "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\nConnection: "
               "keep-alive\r\n\r\nhello";
    } else if (strstr(head, " /continue ")) {
        return "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nX-A: b\r\nContent-Length: "
               "2\r\n\r\nok";
    } else if (strstr(head, " /redirect ")) {
        return "HTTP/1.1 302 Found\r\nLocation: /marked\r\nContent-Length: 0\r\n\r\n";
    } else if (strstr(head, " /cut ")) {
        return "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello";
    } else if (strstr(head, " /chunked-cut ")) {
        return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
    } else if (strstr(head, " /garbage ")) {
        return "this is not http at all\r\n\r\n";
    } else if (strstr(head, " /stall ")) {
        return "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhe"; // and the connection stays open
    } else if (strstr(head, " /silent ")) {
        return "";
    } else if (strstr(head, " /big ")) {
        return big;
    }
    return "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
}

static bool stays_open(const char *head) {
    return !strstr(head, "cut ") && !strstr(head, "/garbage ");
}

static void *serve_one(void *user) {
    int fd = (int)(intptr_t)((void **)user)[0];
    struct server *s = ((void **)user)[1];
    bx_free(user);
    for (;;) {
        size_t n = 0;
        char head[8192];
        while (n < sizeof head - 1) {
            ssize_t k = read(fd, head + n, sizeof head - 1 - n);
            if (k <= 0) {
                close(fd);
                return NULL;
            }
            n += (size_t)k;
            head[n] = 0;
            if (strstr(head, "\r\n\r\n")) {
                break;
            }
        }
        s->marked += strstr(head, " /marked ") != NULL;
        {
            BX_LOCKED(&s->lock);
            memcpy(s->last, head, n + 1);
        }
        const char *answer = answer_for(head);
        bx_write_all(fd, answer, strlen(answer));
        if (!stays_open(head)) {
            close(fd);
            return NULL;
        }
    }
}

static void *serve(void *user) {
    struct server *s = user;
    for (int fd; (fd = accept(s->fd, NULL, NULL)) >= 0;) {
        pthread_t t;
        void **pair = bx_alloc(2 * sizeof *pair);
        pair[0] = (void *)(intptr_t)fd;
        pair[1] = s;
        s->connections++;
        pthread_create(&t, NULL, serve_one, pair);
        pthread_detach(t);
    }
    return NULL;
}

static struct server tcp = {.lock = PTHREAD_MUTEX_INITIALIZER};
static char dir[64], sock_path[80];

static bool last_has(const char *text) {
    BX_LOCKED(&tcp.lock);
    return strstr(tcp.last, text) != NULL;
}

static int setup(void **state) {
    (void)state;
    make_big();
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof in;
    tcp.fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(tcp.fd, (struct sockaddr *)&in, sizeof in), 0);
    assert_int_equal(listen(tcp.fd, 16), 0);
    getsockname(tcp.fd, (struct sockaddr *)&in, &n);
    tcp.port = ntohs(in.sin_port);
    pthread_create(&tcp.thread, NULL, serve, &tcp);
    snprintf(dir, sizeof dir, "/tmp/bx-fetch-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(sock_path, sizeof sock_path, "%s/s.sock", dir);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    shutdown(tcp.fd, SHUT_RDWR);
    pthread_join(tcp.thread, NULL);
    close(tcp.fd);
    bx_dir_remove(dir, NULL);
    return 0;
}

struct got {
    struct bx_buf body;
    char head[4096];
    int heads;
    struct bx_cancel *fire_at_body;
};

static int on_head(void *user, const struct bx_fetch_head *head, struct bx_err *err) {
    struct got *g = user;
    (void)err;
    const char *a = bx_fetch_head_get(head, "x-a");
    snprintf(g->head, sizeof g->head, "%d %s", head->status, a ? a : "-");
    g->heads++;
    return 0;
}

static int on_body(void *user, struct bx_str piece, struct bx_err *err) {
    struct got *g = user;
    (void)err;
    if (g->fire_at_body) {
        bx_cancel_fire(g->fire_at_body, "test");
    }
    return bx_buf_adds(&g->body, piece);
}

static struct bx_fetch *client(bool offline) {
    struct bx_fetch *f = NULL;
    assert_int_equal(bx_fetch_new(&(struct bx_fetch_config){.offline = offline}, &f, NULL), 0);
    return f;
}

static int go(struct bx_fetch *f, struct bx_fetch_request req, const char *path, struct got *got,
              struct bx_fetch_result *result, struct bx_err *err) {
    static _Thread_local char url[200];
    struct got mine = {.body = BX_BUF_INIT(BX_MIB)};
    got = got ? got : &mine;
    if (!got->body.max) {
        got->body.max = BX_MIB;
    }
    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", tcp.port, path);
    req.url = req.url ? req.url : url;
    req.on_head = on_head;
    req.on_body = on_body;
    req.user = got;
    int r = bx_fetch_perform(f, &req, result, err);
    bx_buf_deinit(&mine.body);
    return r;
}

static void plain(void **state) {
    (void)state;
    struct bx_fetch *f = client(false);
    struct got got = {0};
    struct bx_fetch_result result;
    int before = tcp.connections;
    struct bx_fetch_header headers[] = {{"X-One", "1"}, {"X-Empty", ""}};
    struct bx_fetch_request req = {
        .headers = headers, .header_count = 2, .body = BX_STR_LIT("body")};
    assert_int_equal(go(f, req, "/ok", &got, &result, NULL), 0);
    assert_string_equal(bx_buf_z(&got.body), "hello");
    assert_string_equal(got.head, "200 b");
    assert_int_equal(result.status, 200);
    assert_int_equal(result.bytes_in, 5);
    assert_int_equal(result.bytes_out, 4);
    assert_string_equal(result.address, "127.0.0.1");
    assert_false(result.reused);
    assert_true(last_has("POST /ok HTTP/1.1"));
    assert_true(last_has("X-One: 1\r\n"));
    assert_true(last_has("X-Empty:\r\n"));
    assert_false(last_has("Content-Type"));
    assert_false(last_has("Expect"));
    // the second goes over the same connection
    assert_int_equal(go(f, (struct bx_fetch_request){0}, "/ok", NULL, &result, NULL), 0);
    assert_true(result.reused);
    assert_int_equal(tcp.connections, before + 1);
    bx_buf_deinit(&got.body);
    bx_fetch_free(f);
}

static void heads(void **state) {
    (void)state;
    struct bx_fetch *f = client(false);
    struct got got = {0};
    assert_int_equal(go(f, (struct bx_fetch_request){0}, "/continue", &got, NULL, NULL), 0);
    assert_string_equal(got.head, "201 b");
    assert_int_equal(got.heads, 1);
    struct bx_fetch_result result;
    int before = tcp.marked;
    assert_int_equal(go(f, (struct bx_fetch_request){0}, "/redirect", &got, &result, NULL), 0);
    assert_int_equal(result.status, 302); // not followed
    assert_int_equal(tcp.marked, before);
    bx_buf_deinit(&got.body);
    bx_fetch_free(f);
}

static void failures(void **state) {
    (void)state;
    struct bx_fetch *f = client(false);
    struct bx_err err;
    struct bx_fetch_request none = {0};
    assert_int_equal(go(f, none, "/cut", NULL, NULL, &err), BX_ERR_RETRY);
    assert_int_equal(go(f, none, "/chunked-cut", NULL, NULL, &err), BX_ERR_RETRY);
    assert_int_equal(go(f, none, "/garbage", NULL, NULL, &err), BX_ERR_PROTO);
    assert_int_equal(
        go(f, (struct bx_fetch_request){.max_response_bytes = 1000}, "/big", NULL, NULL, &err),
        BX_ERR_LIMIT);
    assert_int_equal(
        go(f, (struct bx_fetch_request){.max_response_bytes = 250000}, "/big", NULL, NULL, &err),
        0);
    assert_int_equal(
        go(f, (struct bx_fetch_request){.stall_timeout_ms = 50}, "/stall", NULL, NULL, &err),
        BX_ERR_TIMEOUT);
    assert_non_null(strstr(err.msg, "stalled"));
    assert_int_equal(
        go(f, (struct bx_fetch_request){.first_byte_timeout_ms = 50}, "/silent", NULL, NULL, &err),
        BX_ERR_TIMEOUT);
    assert_non_null(strstr(err.msg, "no answer"));
    assert_int_equal(
        go(f, (struct bx_fetch_request){.total_timeout_ms = 50}, "/stall", NULL, NULL, &err),
        BX_ERR_TIMEOUT);
    assert_int_equal(
        go(f, (struct bx_fetch_request){.url = "http://127.0.0.1:1/"}, "", NULL, NULL, &err),
        BX_ERR_UNAVAILABLE);
    // too long for a name: no name server is asked, so nobody waits for one
    char nobody[100] = "http://";
    memset(nobody + 7, 'n', 70);
    memcpy(nobody + 77, ".invalid/", sizeof ".invalid/");
    assert_int_equal(go(f, (struct bx_fetch_request){.url = nobody}, "", NULL, NULL, &err),
                     BX_ERR_UNAVAILABLE);
    assert_int_equal(
        go(f, (struct bx_fetch_request){.url = "file:///etc/passwd"}, "", NULL, NULL, &err),
        BX_ERR_INVALID);
    struct bx_fetch_header split = {"X-A", "b\r\nX-C: d"}, name = {"X A", "b"};
    assert_int_equal(go(f, (struct bx_fetch_request){.headers = &split, .header_count = 1}, "/ok",
                        NULL, NULL, &err),
                     BX_ERR_INVALID);
    assert_int_equal(go(f, (struct bx_fetch_request){.headers = &name, .header_count = 1}, "/ok",
                        NULL, NULL, &err),
                     BX_ERR_INVALID);
    assert_int_equal(
        go(f, (struct bx_fetch_request){.method = "GET /\r\n"}, "/ok", NULL, NULL, &err),
        BX_ERR_INVALID);
    bx_fetch_free(f);
}

static void *fire(void *user) {
    bx_cancel_fire(user, "test");
    return NULL;
}

/* A server that never answers: without the token this test does not end. */
static void cancelled(void **state) {
    (void)state;
    struct bx_fetch *f = client(false);
    struct bx_cancel *before = bx_cancel_new(NULL), *body = bx_cancel_new(NULL),
                     *silent = bx_cancel_new(NULL);
    struct bx_fetch_request req = {.first_byte_timeout_ms = 3600000, .stall_timeout_ms = 3600000};
    bx_cancel_fire(before, "test");
    req.cancel = before;
    int requests = tcp.marked;
    assert_int_equal(go(f, req, "/marked", NULL, NULL, NULL), BX_ERR_CANCELLED);
    assert_int_equal(tcp.marked, requests);
    struct got got = {.fire_at_body = body};
    req.cancel = body;
    assert_int_equal(go(f, req, "/stall", &got, NULL, NULL), BX_ERR_CANCELLED);
    pthread_t t;
    req.cancel = silent;
    pthread_create(&t, NULL, fire, silent);
    assert_int_equal(go(f, req, "/silent", NULL, NULL, NULL), BX_ERR_CANCELLED);
    pthread_join(t, NULL);
    bx_buf_deinit(&got.body);
    bx_cancel_unref(before);
    bx_cancel_unref(body);
    bx_cancel_unref(silent);
    bx_fetch_free(f);
}

static void unix_socket(void **state) {
    (void)state;
    struct server s = {.fd = socket(AF_UNIX, SOCK_STREAM, 0), .lock = PTHREAD_MUTEX_INITIALIZER};
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    memcpy(un.sun_path, sock_path, strlen(sock_path));
    assert_int_equal(bind(s.fd, (struct sockaddr *)&un, sizeof un), 0);
    assert_int_equal(listen(s.fd, 4), 0);
    pthread_create(&s.thread, NULL, serve, &s);
    struct bx_fetch *f = client(true); // also offline
    struct bx_fetch_result result;
    struct bx_fetch_request req = {.url = "http://model/ok", .unix_socket = sock_path};
    assert_int_equal(go(f, req, "", NULL, &result, NULL), 0);
    assert_string_equal(result.address, "");
    assert_int_equal(go(f, req, "", NULL, &result, NULL), 0);
    assert_true(result.reused);
    struct bx_err err;
    req.unix_socket = "/nonexistent/s.sock";
    assert_int_equal(go(f, req, "", NULL, NULL, &err), BX_ERR_UNAVAILABLE);
    bx_fetch_free(f);
    shutdown(s.fd, SHUT_RDWR);
    pthread_join(s.thread, NULL);
    close(s.fd);
}

static void offline(void **state) {
    (void)state;
    struct bx_fetch *f = client(true);
    struct bx_err err;
    assert_int_equal(go(f, (struct bx_fetch_request){0}, "/ok", NULL, NULL, &err), 0);
    assert_int_equal(
        go(f, (struct bx_fetch_request){.url = "http://192.0.2.1/"}, "", NULL, NULL, &err),
        BX_ERR_DENIED);
    // a name is refused before it is looked up
    assert_int_equal(
        go(f, (struct bx_fetch_request){.url = "http://example.com/"}, "", NULL, NULL, &err),
        BX_ERR_DENIED);
    // a name of this machine that does not lead to this machine
    assert_int_equal(go(f,
                        (struct bx_fetch_request){.url = "http://x.localhost:80/",
                                                  .pin = "x.localhost:80:192.0.2.1"},
                        "", NULL, NULL, &err),
                     BX_ERR_DENIED);
    bx_fetch_free(f);
}

static struct bx_policy *policy_of(const char *host, const char *block) {
    struct bx_policy_config config = {.allowed_hosts = &host,
                                      .allowed_host_count = 1,
                                      .block_networks = &block,
                                      .block_network_count = block ? 1 : 0};
    struct bx_policy *p = NULL;
    assert_int_equal(bx_policy_new(&config, &p, NULL), 0);
    return p;
}

/* The name is allowed, what it resolves to is not: nothing may reach the server. */
static void address_is_judged(void **state) {
    (void)state;
    struct bx_fetch *f = client(false);
    struct bx_policy *strict = policy_of("http://rebind.example:*", "private");
    struct bx_policy *open = policy_of("http://rebind.example:*", NULL);
    char pin[100], mapped[100], both[100], url[100];
    snprintf(url, sizeof url, "http://rebind.example:%u/ok", tcp.port);
    snprintf(pin, sizeof pin, "rebind.example:%u:127.0.0.1", tcp.port);
    snprintf(mapped, sizeof mapped, "rebind.example:%u:::ffff:127.0.0.1", tcp.port);
    snprintf(both, sizeof both, "rebind.example:%u:127.0.0.1,127.0.0.2", tcp.port);
    const char *pins[] = {pin, mapped, both};
    struct bx_err err;
    int connections = tcp.connections;
    for (size_t i = 0; i < BX_ARRAY_LEN(pins); i++) {
        struct bx_fetch_request req = {.url = url, .policy = strict, .pin = pins[i]};
        assert_int_equal(go(f, req, "", NULL, NULL, &err), BX_ERR_DENIED);
        assert_non_null(strstr(err.msg, "block_networks"));
    }
    assert_int_equal(tcp.connections, connections);
    struct bx_fetch_request req = {.url = url, .policy = open, .pin = pin};
    assert_int_equal(go(f, req, "", NULL, NULL, &err), 0);
    bx_policy_free(strict);
    bx_policy_free(open);
    bx_fetch_free(f);
}

/* A connection that another policy opened is judged too. */
static void reused_connection_is_judged(void **state) {
    (void)state;
    struct bx_fetch *f = client(false);
    struct bx_policy *strict = policy_of("http://*:*", "private"),
                     *open = policy_of("http://*:*", NULL);
    struct bx_err err;
    assert_int_equal(go(f, (struct bx_fetch_request){.policy = open}, "/ok", NULL, NULL, &err), 0);
    int requests = tcp.marked;
    assert_int_equal(
        go(f, (struct bx_fetch_request){.policy = strict}, "/marked", NULL, NULL, &err),
        BX_ERR_DENIED);
    assert_int_equal(tcp.marked, requests);
    bx_policy_free(strict);
    bx_policy_free(open);
    bx_fetch_free(f);
}

struct worker {
    struct bx_fetch *f;
    int failed;
};

static void *many(void *user) {
    struct worker *w = user;
    for (int i = 0; i < 30; i++) {
        w->failed += go(w->f, (struct bx_fetch_request){0}, "/ok", NULL, NULL, NULL) != 0;
    }
    return NULL;
}

static void threads(void **state) {
    (void)state;
    struct bx_fetch *f = client(false);
    int before = tcp.connections;
    pthread_t t[4];
    struct worker w[4];
    for (int i = 0; i < 4; i++) {
        w[i] = (struct worker){.f = f};
        pthread_create(&t[i], NULL, many, &w[i]);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(t[i], NULL);
        assert_int_equal(w[i].failed, 0);
    }
    assert_true(tcp.connections - before <= 4);
    bx_fetch_free(f);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN); // the server writes to clients that have left
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain),
        cmocka_unit_test(heads),
        cmocka_unit_test(failures),
        cmocka_unit_test(cancelled),
        cmocka_unit_test(unix_socket),
        cmocka_unit_test(offline),
        cmocka_unit_test(address_is_judged),
        cmocka_unit_test(reused_connection_is_judged),
        cmocka_unit_test(threads),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
