/* What a call's request to the network may carry, reach and get, against a server of this file. The
 * box's end is here: it notes what it is given. */
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

#include "base/file.h"
#include "base/thread.h"
#include "base/unwire.h"
#include "tools/outbound.h"

struct bx_outbound_answer {
    unsigned status;
    char headers[2048], body[64];
    size_t bytes, max_bytes;
};

int bx_outbound_head(struct bx_outbound_answer *a, unsigned status,
                     const struct bx_outbound_header *headers, size_t header_count) {
    a->status = status;
    for (size_t i = 0, n = 0; i < header_count; i++) {
        n +=
            (size_t)snprintf(a->headers + n, sizeof a->headers - n, BX_STR_FMT ": " BX_STR_FMT "\n",
                             BX_STR_ARG(headers[i].name), BX_STR_ARG(headers[i].value));
    }
    return 0;
}

int bx_outbound_body(struct bx_outbound_answer *a, struct bx_str piece) {
    if (a->bytes < sizeof a->body) {
        snprintf(a->body + a->bytes, sizeof a->body - a->bytes, BX_STR_FMT, BX_STR_ARG(piece));
    }
    a->bytes += piece.n;
    return a->bytes > a->max_bytes ? BX_ERR_LIMIT : 0;
}

static struct {
    int fd;
    uint16_t port;
    pthread_t thread;
    atomic_int requests;
    pthread_mutex_t lock;
    char last[8192]; // the last request's head
} server = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool last_has(const char *text) {
    BX_LOCKED(&server.lock);
    return strstr(server.last, text) != NULL;
}

static const char *answer_for(const char *head) {
    if (strstr(head, " /page "))
        return "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\nConnection: close\r\n"
               "x-boxagnts-age: 7\r\nProxy-Authenticate: Basic\r\n\r\nhello";
    if (strstr(head, " /cookie "))
        return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a=b\r\n"
               "Connection: close\r\n\r\nhi";
    if (strstr(head, " /no-store "))
        return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nCache-Control: no-store\r\n"
               "Connection: close\r\n\r\nhi";
    if (strstr(head, " /moved "))
        return "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: http://192.0.2.1/\r\n"
               "Connection: close\r\n\r\n";
    if (strstr(head, " /silent "))
        return ""; // and the connection stays open until the client gives up
    if (strstr(head, " /odd "))
        return "HTTP/1.1 999 Odd\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    return "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
}

static void *serve(void *user) {
    (void)user;
    for (int fd; (fd = accept(server.fd, NULL, NULL)) >= 0;) {
        char head[8192];
        size_t n = 0;
        for (ssize_t k; n < sizeof head - 1 && (k = read(fd, head + n, sizeof head - 1 - n)) > 0;) {
            n += (size_t)k;
            head[n] = '\0';
            if (strstr(head, "\r\n\r\n"))
                break;
        }
        {
            BX_LOCKED(&server.lock);
            memcpy(server.last, head, n + 1);
        }
        server.requests++;
        const char *answer = answer_for(head);
        bx_write_all(fd, answer, strlen(answer));
        while (!*answer && read(fd, head, 1) > 0) {
        }
        close(fd);
    }
    return NULL;
}

static int setup(void **state) {
    (void)state;
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof in;
    server.fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(server.fd, (struct sockaddr *)&in, sizeof in), 0);
    assert_int_equal(listen(server.fd, 16), 0);
    getsockname(server.fd, (struct sockaddr *)&in, &n);
    server.port = ntohs(in.sin_port);
    return pthread_create(&server.thread, NULL, serve, NULL);
}

static int teardown(void **state) {
    (void)state;
    shutdown(server.fd, SHUT_RDWR);
    pthread_join(server.thread, NULL);
    return close(server.fd);
}

struct call {
    const char *method, *path, *host, *block; /* host: of the grant; "" none */
    struct bx_outbound_header header;
    size_t max_bytes;
};

/* One request of a call; what the guest gets is in *ret. */
static int go(struct bx_outbound *o, struct call c, struct bx_outbound_answer *ret,
              struct bx_err *err) {
    char url[200], allowed[200];
    const char *host = allowed;
    struct bx_grant grant;
    bx_grant_init(&grant);
    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", server.port, c.path);
    snprintf(allowed, sizeof allowed, "%s", c.host ? c.host : "http://127.0.0.1:*");
    grant.hosts = &host;
    grant.host_count = *host != '\0';
    grant.block_networks = &c.block;
    grant.block_network_count = c.block != NULL;
    *ret = (struct bx_outbound_answer){.max_bytes = c.max_bytes ? c.max_bytes : 1000};
    struct bx_outbound_request q = {.method = c.method ? c.method : "GET",
                                    .url = url,
                                    .headers = &c.header,
                                    .header_count = c.header.name.n > 0,
                                    .grant = &grant,
                                    .timeout_ms = 20000};
    return bx_outbound_answer(o, &q, ret, err);
}

static struct bx_outbound *outbound(void) {
    struct bx_outbound *o = NULL;
    assert_int_equal(bx_outbound_new(&(struct bx_outbound_config){0}, &o, NULL), 0);
    return o;
}

#define HEADER(n, v)                                                                               \
    { BX_STR_LIT(n), BX_STR_LIT(v) }

static void headers_of_the_connection(void **state) {
    (void)state;
    bx_auto(bx_outbound_freep) struct bx_outbound *o = outbound();
    struct bx_outbound_answer a;
    static const struct bx_outbound_header bad[] = {
        HEADER("Host", "evil.example"), HEADER("transfer-encoding", "evil.example"),
        HEADER("Cookie", "evil.example"), HEADER("Proxy-Authorization", "evil.example")};
    for (size_t i = 0; i < BX_ARRAY_LEN(bad); i++) {
        assert_int_equal(
            go(o, (struct call){.method = "PUT", .path = "/page", .header = bad[i]}, &a, NULL), 0);
        assert_false(last_has("evil.example"));
    }
    struct call mine = {.path = "/page", .header = HEADER("X-Mine", "1")};
    assert_int_equal(go(o, mine, &a, NULL), 0);
    assert_true(last_has("X-Mine: 1"));
    assert_int_equal(a.status, 200);
    assert_string_equal(a.body, "hello");
    assert_string_equal(a.headers, "X-A: b\n"); // also not the age that it claims
    assert_int_equal(go(o, (struct call){.path = "/cookie"}, &a, NULL), 0);
    assert_string_equal(a.headers, "");
}

static void denied(void **state) {
    (void)state;
    bx_auto(bx_outbound_freep) struct bx_outbound *o = outbound();
    struct bx_outbound_answer a;
    struct bx_err err;
    int requests = server.requests;
    assert_int_equal(go(o, (struct call){.path = "/page", .host = ""}, &a, &err), BX_ERR_DENIED);
    assert_int_equal(go(o, (struct call){.path = "/page", .host = "http://127.0.0.1:1"}, &a, &err),
                     BX_ERR_DENIED);
    assert_non_null(strstr(err.msg, "in allowed_outbound_hosts would allow it"));
    assert_int_equal(go(o, (struct call){.path = "/page", .block = "private"}, &a, &err),
                     BX_ERR_DENIED);
    assert_non_null(strstr(err.msg, "block_networks"));
    assert_int_equal(go(o, (struct call){.path = "/page", .block = "127.0.0.0/8"}, &a, &err),
                     BX_ERR_DENIED);
    assert_int_equal(go(o, (struct call){.path = "/page", .host = "nonsense"}, &a, &err),
                     BX_ERR_DENIED);
    assert_int_equal(go(o, (struct call){.path = "/page", .block = "nonsense"}, &a, &err),
                     BX_ERR_DENIED);
    assert_int_equal(server.requests, requests);
    assert_int_equal(a.status, 0);
}

static void redirects_go_back(void **state) {
    (void)state;
    bx_auto(bx_outbound_freep) struct bx_outbound *o = outbound();
    struct bx_outbound_answer a;
    assert_int_equal(go(o, (struct call){.path = "/moved"}, &a, NULL), 0);
    assert_int_equal(a.status, 302);
    assert_string_equal(a.headers, "Location: http://192.0.2.1/\n");
}

static void sizes(void **state) {
    (void)state;
    bx_auto(bx_outbound_freep) struct bx_outbound *o = outbound();
    struct bx_outbound_answer a;
    struct bx_err err;
    assert_int_equal(go(o, (struct call){.path = "/page", .max_bytes = 5}, &a, &err), 0);
    assert_int_equal(go(o, (struct call){.path = "/page", .max_bytes = 4}, &a, &err),
                     BX_ERR_LIMIT); // from the cache, too
    assert_int_equal(go(o, (struct call){.path = "/no-store", .max_bytes = 1}, &a, &err),
                     BX_ERR_LIMIT);
    assert_non_null(strstr(err.msg, "max_response_bytes"));
    assert_int_equal(go(o, (struct call){.path = "/odd"}, &a, &err), BX_ERR_PROTO);
}

static void cached(void **state) {
    (void)state;
    bx_auto(bx_outbound_freep) struct bx_outbound *o = outbound();
    struct bx_outbound_answer a;
    struct call page = {.path = "/page", .header = HEADER("accept", "text/html")};
    int requests = server.requests;
    assert_int_equal(go(o, page, &a, NULL), 0);
    assert_int_equal(go(o, page, &a, NULL), 0);
    assert_int_equal(server.requests, requests + 1);
    assert_true(bx_str_starts(bx_str(a.headers), "X-A: b\nx-boxagnts-age: ")); // in seconds
    assert_string_equal(a.body, "hello");
    // asked for otherwise, or with something that the answer may depend on
    page.header.value = BX_STR_LIT("text/plain");
    assert_int_equal(go(o, page, &a, NULL), 0);
    assert_int_equal(server.requests, requests + 2);
    struct call other = {.path = "/page", .header = HEADER("authorization", "x")};
    assert_int_equal(go(o, other, &a, NULL), 0);
    assert_int_equal(go(o, other, &a, NULL), 0);
    assert_int_equal(server.requests, requests + 4);
    // what its server does not want kept
    assert_int_equal(go(o, (struct call){.path = "/no-store"}, &a, NULL), 0);
    assert_int_equal(go(o, (struct call){.path = "/no-store"}, &a, NULL), 0);
    assert_int_equal(go(o, (struct call){.method = "HEAD", .path = "/page"}, &a, NULL), 0);
    assert_int_equal(server.requests, requests + 7);
}

/* What one call fetched is not there for a call that could not have fetched it. */
static void cache_opens_no_grant(void **state) {
    (void)state;
    bx_auto(bx_outbound_freep) struct bx_outbound *o = outbound();
    struct bx_outbound_answer a;
    assert_int_equal(go(o, (struct call){.path = "/page"}, &a, NULL), 0);
    assert_int_equal(go(o, (struct call){.path = "/page", .host = ""}, &a, NULL), BX_ERR_DENIED);
    assert_int_equal(go(o, (struct call){.path = "/page", .host = "http://*.org"}, &a, NULL),
                     BX_ERR_DENIED);
    assert_int_equal(go(o, (struct call){.path = "/page", .block = "private"}, &a, NULL),
                     BX_ERR_DENIED); // the URL is fine, the address that it came from is not
    assert_int_equal(a.status, 0);
    assert_string_equal(a.body, "");
}

/* The guest's own patience; without it this test would take the 20 s of the call. */
static void patience(void **state) {
    (void)state;
    bx_auto(bx_outbound_freep) struct bx_outbound *o = outbound();
    struct bx_outbound_answer a;
    struct bx_err err;
    struct call silent = {.path = "/silent", .header = HEADER("x-boxagnts-timeout", "1")};
    assert_int_equal(go(o, silent, &a, &err), BX_ERR_TIMEOUT);
    assert_false(last_has("x-boxagnts"));
    assert_non_null(strstr(err.msg, "no answer within 1 s"));
}

int main(void) {
    signal(SIGPIPE, SIG_IGN); // the server writes to clients that have left
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_of_the_connection),
        cmocka_unit_test(denied),
        cmocka_unit_test(redirects_go_back),
        cmocka_unit_test(sizes),
        cmocka_unit_test(patience),
        cmocka_unit_test(cached),
        cmocka_unit_test(cache_opens_no_grant),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
