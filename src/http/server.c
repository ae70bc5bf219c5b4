#include "http/server.h"

#include <uv.h>

#include "base/clock.h"
#include "loop/uv.h"

#define TICK_MS 250
#define LINGER_MS                                                                                  \
    1000 /* how long the rest of a refused request is swallowed, so that our answer is not reset   \
            away */
#define MAX_SWALLOWED (4 * BX_MIB)
#define MAX_TURNS     16 /* writes of one connection in a row before the others have their turn */

struct peer {
    uv_tcp_t tcp;
    uv_write_t write;
    uv_shutdown_t shutdown;
    struct bx_http_server *server;
    struct bx_http_conn *conn;
    struct bx_http_output output; /* of the write on its way */
    struct peer *next, *prev;
    bool reading, flushing, lingering, closing;
    uint64_t linger_until_ms;
    size_t swallowed;
};

struct bx_http_server {
    struct bx_http_server_config config;
    uv_tcp_t listener;
    uv_timer_t timer;
    struct peer *peers;
    size_t peer_count;
    unsigned handles; /* listener and timer that are not closed yet */
    uint16_t port;
    bool stopping;
    uint64_t stop_at_ms;
    void (*stopped)(void *user);
    void *stopped_user;
    char read_buffer[BX_HTTP_READ_BYTES];
};

static void after_event(struct peer *p);
static void on_own_closed(uv_handle_t *handle);

static void finish_if_empty(struct bx_http_server *s) {
    void (*stopped)(void *) = s->stopped;
    if (!s->stopping || s->peer_count || s->handles || !stopped)
        return;
    s->stopped = NULL;
    stopped(s->stopped_user);
}

static void on_peer_closed(uv_handle_t *handle) {
    struct peer *p = handle->data;
    struct bx_http_server *s = p->server;
    if (p->next)
        p->next->prev = p->prev;
    *(p->prev ? &p->prev->next : &s->peers) = p->next;
    s->peer_count--;
    bx_http_conn_free(p->conn);
    bx_free(p->output.p);
    bx_free(p);
    if (s->stopping && !s->peer_count && !uv_is_closing((uv_handle_t *)&s->timer))
        uv_close((uv_handle_t *)&s->timer, on_own_closed);
    finish_if_empty(s);
}

static void close_peer(struct peer *p) {
    if (p->closing)
        return;
    p->closing = true; /* the connection itself goes in the callback: it may be what called us */
    uv_close((uv_handle_t *)&p->tcp, on_peer_closed);
}

static void on_written(uv_write_t *req, int status) {
    struct peer *p = req->data;
    bx_free(p->output.p);
    p->output = (struct bx_http_output){0};
    if (p->closing)
        return;
    if (status < 0) {
        close_peer(p);
        return;
    }
    p->flushing = true;
    bx_http_conn_flushed(p->conn, bx_mono_ms());
    p->flushing = false;
    after_event(p);
}

static size_t to_bufs(const struct bx_str pieces[static 2], uv_buf_t bufs[static 2]) {
    size_t n = 0;
    for (size_t i = 0; i < 2; i++) {
        if (pieces[i].n)
            bufs[n++] = uv_buf_init((char *)(uintptr_t)pieces[i].p,
                                    (unsigned)BX_MIN(pieces[i].n, (size_t)1 << 30));
    }
    return n;
}

/* Hands everything that the socket did not take to libuv. */
static void write_rest(struct peer *p) {
    uv_buf_t bufs[2];
    bx_http_conn_take(p->conn, &p->output);
    size_t n = to_bufs(p->output.pieces, bufs);
    p->write.data = p;
    if (uv_write(&p->write, (uv_stream_t *)&p->tcp, bufs, (unsigned)n, on_written) < 0)
        close_peer(p);
}

/* Sends until nothing is left or the socket is full. */
static void flush(struct peer *p) {
    struct bx_str pieces[2] = {{0}};
    p->flushing = true;
    for (int turn = 0; !p->closing && !p->lingering; turn++, memset(pieces, 0, sizeof pieces)) {
        if (bx_http_conn_peek(p->conn, pieces) == 0)
            break;
        uv_buf_t bufs[2];
        size_t count = to_bufs(pieces, bufs), total = pieces[0].n + pieces[1].n;
        int n = turn < MAX_TURNS ? uv_try_write((uv_stream_t *)&p->tcp, bufs, (unsigned)count)
                                 : UV_EAGAIN;
        if (n < 0 && n != UV_EAGAIN && n != UV_ENOSYS) {
            close_peer(p);
            break;
        }
        if (n > 0)
            bx_http_conn_consume(p->conn, (size_t)n);
        if (n < 0 || (size_t)n < total) {
            write_rest(p);
            break;
        }
        bx_http_conn_flushed(p->conn, bx_mono_ms());
    }
    p->flushing = false;
}

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *ret) {
    (void)wanted;
    struct peer *p = handle->data;
    *ret = uv_buf_init(p->server->read_buffer, sizeof p->server->read_buffer);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
    struct peer *p = stream->data;
    if (p->closing || n == 0)
        return;
    if (p->lingering) {
        p->swallowed += n > 0 ? (size_t)n : 0;
        if (n < 0 || p->swallowed > MAX_SWALLOWED)
            close_peer(p);
        return;
    }
    p->flushing = true;
    if (n == UV_EOF) {
        uv_read_stop(stream);
        p->reading = false;
        bx_http_conn_eof(p->conn);
    } else if (n < 0) {
        p->flushing = false;
        close_peer(p);
        return;
    } else {
        bx_http_conn_feed(p->conn, buf->base, (size_t)n, bx_mono_ms());
    }
    p->flushing = false;
    after_event(p);
}

static void on_shut(uv_shutdown_t *req, int status) {
    (void)req;
    (void)status; /* whatever it is: the linger timer closes */
}

static void start_reading(struct peer *p, bool on) {
    if (on == p->reading)
        return;
    p->reading = on;
    if (on)
        uv_read_start((uv_stream_t *)&p->tcp, on_alloc, on_read);
    else
        uv_read_stop((uv_stream_t *)&p->tcp);
}

static void linger(struct peer *p) {
    p->lingering = true;
    p->linger_until_ms = bx_mono_ms() + LINGER_MS;
    if (uv_shutdown(&p->shutdown, (uv_stream_t *)&p->tcp, on_shut) < 0) {
        close_peer(p);
        return;
    }
    start_reading(p, true);
}

/* After everything that may have moved the connection: send, end, read or not. */
static void after_event(struct peer *p) {
    if (p->flushing || p->closing || p->lingering)
        return;
    flush(p);
    if (p->closing)
        return;
    switch (bx_http_conn_end(p->conn)) {
    case BX_HTTP_ABORT:
        close_peer(p);
        break;
    case BX_HTTP_LINGER:
        linger(p);
        break;
    case BX_HTTP_OPEN:
        start_reading(p, bx_http_conn_wants_read(p->conn));
        break;
    }
}

static void on_wake(void *user) {
    after_event(user);
}

static void on_connection(uv_stream_t *listener, int status) {
    struct bx_http_server *s = listener->data;
    if (status < 0)
        return;
    struct peer *p = bx_new(struct peer);
    p->server = s;
    uv_tcp_init(listener->loop, &p->tcp);
    p->tcp.data = p;
    p->next = s->peers;
    if (s->peers)
        s->peers->prev = p;
    s->peers = p;
    s->peer_count++;
    p->conn = bx_http_conn_new(&s->config.limits, s->config.handler, s->config.user, on_wake, p,
                               bx_mono_ms());
    if (uv_accept(listener, (uv_stream_t *)&p->tcp) < 0 ||
        s->peer_count > s->config.max_connections) {
        close_peer(p);
        return;
    }
    uv_tcp_nodelay(&p->tcp, 1);
    start_reading(p, true);
}

static void on_tick(uv_timer_t *timer) {
    struct bx_http_server *s = timer->data;
    uint64_t now_ms = bx_mono_ms();
    for (struct peer *p = s->peers, *next; p; p = next) {
        next = p->next; /* peers are freed in their close callback, not here */
        if (p->closing)
            continue;
        if ((s->stopping && now_ms >= s->stop_at_ms) ||
            (p->lingering && now_ms >= p->linger_until_ms)) {
            close_peer(p);
        } else if (!p->lingering && now_ms >= bx_http_conn_deadline_ms(p->conn)) {
            p->flushing = true;
            bx_http_conn_tick(p->conn, now_ms);
            p->flushing = false;
            after_event(p);
        }
    }
}

static void on_own_closed(uv_handle_t *handle) {
    struct bx_http_server *s = handle->data;
    s->handles--;
    finish_if_empty(s);
}

static int parse_address(const char *host, uint16_t port, struct sockaddr_storage *ret) {
    if (uv_ip4_addr(host, port, (struct sockaddr_in *)ret) == 0)
        return 0;
    return uv_ip6_addr(host, port, (struct sockaddr_in6 *)ret);
}

static int listen_on(struct bx_http_server *s, const char *host, uint16_t port,
                     struct bx_err *err) {
    struct sockaddr_storage address = {0};
    if (parse_address(host, port, &address) < 0)
        return bx_fail(err, BX_ERR_INVALID, "'%s' is not an IP address: use 127.0.0.1", host);
    int r = uv_tcp_bind(&s->listener, (const struct sockaddr *)&address, 0);
    if (r == 0)
        r = uv_listen((uv_stream_t *)&s->listener, 512, on_connection);
    if (r == UV_EADDRINUSE)
        return bx_fail(
            err, BX_ERR_BUSY,
            "port %u is taken: choose another with --port, or stop the program that has it",
            (unsigned)port);
    if (r < 0)
        return bx_fail(err, BX_ERR_IO, "cannot listen on %s port %u: %s", host, (unsigned)port,
                       uv_strerror(r));
    int size = sizeof address;
    uv_tcp_getsockname(&s->listener, (struct sockaddr *)&address, &size);
    s->port = ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                                  : ((struct sockaddr_in *)&address)->sin_port);
    return 0;
}

int bx_http_server_start(const struct bx_http_server_config *config, struct bx_http_server **ret,
                         struct bx_err *err) {
    struct bx_http_server *s = bx_new(struct bx_http_server);
    uv_loop_t *loop = bx_loop_uv(config->loop);
    s->config = *config;
    if (!s->config.max_connections)
        s->config.max_connections = 8192;
    uv_tcp_init(loop, &s->listener);
    uv_timer_init(loop, &s->timer);
    s->listener.data = s->timer.data = s;
    s->handles = 2;
    int r = listen_on(s, config->host, config->port, err);
    if (r < 0) {
        bx_http_server_stop(s, 0, NULL, NULL);
        while (s->handles)
            uv_run(loop, UV_RUN_NOWAIT);
        bx_free(s);
        return r;
    }
    uv_timer_start(&s->timer, on_tick, TICK_MS, TICK_MS);
    *ret = s;
    return 0;
}

uint16_t bx_http_server_port(const struct bx_http_server *s) {
    return s->port;
}

size_t bx_http_server_connections(const struct bx_http_server *s) {
    return s->peer_count;
}

void bx_http_server_stop(struct bx_http_server *s, uint64_t grace_ms, void (*stopped)(void *user),
                         void *user) {
    uint64_t stop_at_ms = bx_mono_ms() + grace_ms;
    if (s->stopping) {
        s->stop_at_ms = BX_MIN(s->stop_at_ms, stop_at_ms);
        return;
    }
    s->stopping = true;
    s->stop_at_ms = stop_at_ms;
    s->stopped = stopped;
    s->stopped_user = user;
    uv_close((uv_handle_t *)&s->listener, on_own_closed);
    for (struct peer *p = s->peers, *next; p; p = next) {
        next = p->next;
        if (p->closing)
            continue;
        bx_http_conn_shut(p->conn);
        after_event(p);
    }
    if (!s->peer_count)
        uv_close((uv_handle_t *)&s->timer, on_own_closed);
}

void bx_http_server_free(struct bx_http_server *s) {
    bx_free(s);
}
