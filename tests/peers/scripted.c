#include "peers/scripted.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/map.h"
#include "base/thread.h"
#include "base/vec.h"
#include "peers/scripted_reply.c"

#define MAX_REQUEST (64 * BX_MIB)
#define MAX_RECORDS 2000

struct peer {
    int fd;
    struct bx_buf in;
    struct reply reply;
    size_t sent;
    uint64_t wait_until_ms, first_byte_us;
    size_t record; /* of the request being answered, 1…; 0 none */
    bool replying, dead;
};

struct record {
    char *json;
    uint64_t at_us,
        replied_at_us; /* monotonic: first byte of the request, last byte of the reply; 0 not yet */
};

struct scripted {
    int listen_fd, stop_fd;
    uint16_t port;
    char *unix_path;
    struct bx_doc *doc;
    BX_VEC(struct peer *) peers;
    pthread_mutex_t lock; /* of the two below */
    BX_VEC(struct record) records;
    size_t connections;
    struct bx_map *tries; /* conversation and turn -> how often asked */
    size_t served;
};

static int listen_at(struct scripted *s, const char *unix_path, uint16_t port, struct bx_err *err) {
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct sockaddr_in in = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    s->listen_fd =
        socket(unix_path ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1, r;
    if (unix_path) {
        if (strlen(unix_path) >= sizeof un.sun_path) {
            return bx_fail(err, BX_ERR_INVALID, "the socket's path is too long");
        }
        memcpy(un.sun_path, unix_path, strlen(unix_path));
        s->unix_path = bx_strdup(unix_path);
        unlink(unix_path);
        r = bind(s->listen_fd, (struct sockaddr *)&un, sizeof un);
    } else {
        setsockopt(s->listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        r = bind(s->listen_fd, (struct sockaddr *)&in, sizeof in);
    }
    if (r < 0 || listen(s->listen_fd, 128) < 0) {
        return bx_fail_errno(err, errno, "listen");
    }
    if (!unix_path) {
        socklen_t n = sizeof in;
        getsockname(s->listen_fd, (struct sockaddr *)&in, &n);
        s->port = ntohs(in.sin_port);
    }
    return 0;
}

int scripted_new(const char *script_json, const char *unix_path, uint16_t port,
                 struct scripted **ret, struct bx_err *err) {
    struct scripted *s = bx_new(struct scripted);
    s->listen_fd = -1;
    s->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&s->lock, NULL);
    s->tries = bx_map_new(bx_free);
    int r = bx_doc_parse(bx_str(script_json), NULL, &s->doc, err);
    r = r < 0 ? r : listen_at(s, unix_path, port, err);
    if (r < 0) {
        scripted_free(s);
        return r;
    }
    *ret = s;
    return 0;
}

uint16_t scripted_port(const struct scripted *s) {
    return s->port;
}

static void peer_free(struct peer *p) {
    bx_fd_close(&p->fd);
    bx_buf_deinit(&p->in);
    bx_buf_deinit(&p->reply.out);
    bx_free(p);
}

void scripted_free(struct scripted *s) {
    for (size_t i = 0; i < s->peers.n; i++) {
        peer_free(s->peers.p[i]);
    }
    bx_vec_free(&s->peers);
    for (size_t i = 0; i < s->records.n; i++) {
        bx_free(s->records.p[i].json);
    }
    bx_vec_free(&s->records);
    bx_map_free(s->tries);
    bx_doc_free(s->doc);
    bx_fd_close(&s->listen_fd);
    bx_fd_close(&s->stop_fd);
    if (s->unix_path) {
        unlink(s->unix_path);
    }
    bx_free(s->unix_path);
    bx_free(s);
}

void scripted_stop(struct scripted *s) {
    uint64_t one = 1;
    (void)!write(s->stop_fd, &one, sizeof one);
}

char *scripted_requests(struct scripted *s) {
    struct bx_buf b = BX_BUF_INIT(1024 * BX_MIB);
    BX_LOCKED(&s->lock);
    bx_buf_addc(&b, '[');
    for (size_t i = 0; i < s->records.n; i++) {
        bx_buf_addz(&b, i ? ",\n" : "");
        const struct record *r = &s->records.p[i];
        bx_buf_addf(&b, "{\"at_us\":%" PRIu64 ",\"replied_at_us\":%" PRIu64 ",%s", r->at_us,
                    r->replied_at_us, r->json + 1);
    }
    bx_buf_addc(&b, ']');
    return bx_buf_steal(&b);
}

size_t scripted_connections(struct scripted *s) {
    BX_LOCKED(&s->lock);
    return s->connections;
}

static void record(struct scripted *s, struct peer *p, struct bx_str path,
                   struct bx_str authorization, struct bx_str body) {
    struct bx_buf b = BX_BUF_INIT(MAX_REQUEST * 2);
    struct bx_jw w;
    bx_jw_init(&w, &b);
    bx_jw_obj(&w);
    bx_jw_kstrn(&w, "path", path);
    bx_jw_kstrn(&w, "authorization", authorization);
    bx_jw_kraw(&w, "body", body);
    bx_jw_end(&w);
    BX_LOCKED(&s->lock);
    if (s->records.n < MAX_RECORDS) {
        bx_vec_push(&s->records,
                    ((struct record){.json = bx_buf_steal(&b), .at_us = p->first_byte_us}));
        p->record = s->records.n;
    } else {
        bx_buf_deinit(&b);
    }
}

static const struct bx_val *turns_for(const struct scripted *s, struct bx_str body) {
    const struct bx_val *root = bx_doc_root(s->doc);
    if (bx_val_is(root, BX_VAL_ARR)) {
        return root;
    }
    bx_val_foreach_item (bx_val_get(root, "when"), when) {
        if (bx_str_find_str(body, bx_val_get_str(when, "contains")) != (size_t)-1) {
            return bx_val_get(when, "turns");
        }
    }
    return bx_val_get(root, "turns");
}

/* Which of the tries of this turn; counted by conversation (its first user message). */
static const struct bx_val *pick_try(struct scripted *s, const struct bx_val *turn,
                                     const struct bx_val *messages, unsigned k) {
    const struct bx_val *tries = bx_val_get(turn, "tries");
    if (!tries) {
        return turn;
    }
    struct bx_buf key = BX_BUF_INIT(MAX_REQUEST);
    bx_buf_addf(&key, "%u ", k);
    bx_val_foreach_item (messages, m) {
        if (bx_str_eqz(bx_val_get_str(m, "role"), "user")) {
            bx_buf_adds(&key, bx_val_get_str(m, "content"));
            break;
        }
    }
    size_t *count = bx_map_get(s->tries, bx_buf_str(&key));
    if (!count) {
        count = bx_new(size_t);
        bx_map_put(s->tries, bx_buf_str(&key), count);
    }
    const struct bx_val *chosen = bx_val_at(tries, BX_MIN(*count, bx_val_len(tries) - 1));
    (*count)++;
    bx_buf_deinit(&key);
    return chosen;
}

static void answer_chat(struct scripted *s, struct peer *p, struct bx_str body) {
    static const char end[] = "{\"text\":\"(end of script)\"}";
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    bx_auto(bx_doc_freep) struct bx_doc *last = NULL;
    if (bx_doc_parse(body, NULL, &doc, NULL) < 0) {
        plain_reply(&p->reply, 400, "", "application/json",
                    BX_STR_LIT("{\"error\":{\"message\":\"not JSON\"}}"));
        return;
    }
    const struct bx_val *messages = bx_val_get(bx_doc_root(doc), "messages");
    unsigned k = 0;
    if (bx_val_get(bx_doc_root(s->doc), "by")) {
        k = (unsigned)s->served;
    } else {
        bx_val_foreach_item (messages, m) {
            k += bx_str_eqz(bx_val_get_str(m, "role"), "assistant");
        }
    }
    s->served++;
    const struct bx_val *turn = bx_val_at(turns_for(s, body), k);
    if (!turn) {
        bx_doc_parse(bx_str(end), NULL, &last, NULL);
        turn = bx_doc_root(last);
    }
    turn = pick_try(s, turn, messages, k);
    turn_reply(&p->reply, turn, k, bx_val_get_bool(bx_doc_root(doc), "stream", false), body.n);
}

static void answer_props(struct scripted *s, struct peer *p) {
    const struct bx_val *root = bx_doc_root(s->doc);
    char text[160];
    snprintf(text, sizeof text,
             "{\"default_generation_settings\":{\"n_ctx\":%d},\"chat_template_caps\":{\"supports_"
             "tools\":%s}}",
             (int)bx_val_get_int(root, "window", 32768),
             bx_val_get_bool(root, "tools", true) ? "true" : "false");
    plain_reply(&p->reply, 200, "", "application/json", bx_str(text));
}

static void answer_path(struct peer *p, const struct bx_val *body) {
    struct bx_buf text = BX_BUF_INIT(BX_MIB);
    struct bx_jw w;
    bx_jw_init(&w, &text);
    bx_jw_val(&w, body);
    plain_reply(&p->reply, bx_val_is(body, BX_VAL_NULL) ? 404 : 200, "", "application/json",
                bx_buf_str(&text));
    bx_buf_deinit(&text);
}

static void answer(struct scripted *s, struct peer *p, struct bx_str path,
                   struct bx_str authorization, struct bx_str body) {
    p->reply = (struct reply){.out = BX_BUF_INIT(256 * BX_MIB)};
    p->sent = 0;
    p->replying = true;
    p->record = 0;
    const struct bx_val *paths = bx_val_get(bx_doc_root(s->doc), "paths");
    if (bx_val_get_n(paths, path)) {
        answer_path(p, bx_val_get_n(paths, path));
    } else if (bx_str_ends(path, "/chat/completions")) {
        record(s, p, path, authorization, body);
        if (bx_val_get_bool(bx_doc_root(s->doc), "die", false)) {
            _exit(9);
        }
        answer_chat(s, p, body);
    } else if (bx_str_eqz(path, "/_requests")) {
        bx_auto(bx_freep) char *all = scripted_requests(s);
        plain_reply(&p->reply, 200, "", "application/json", bx_str(all));
    } else if (bx_str_eqz(path, "/_reset")) {
        BX_LOCKED(&s->lock);
        while (s->records.n > 0) {
            bx_free(s->records.p[--s->records.n].json);
        }
        bx_map_free(s->tries);
        s->tries = bx_map_new(bx_free);
        s->served = 0;
        plain_reply(&p->reply, 200, "", "application/json", BX_STR_LIT("{}"));
    } else if (bx_str_eqz(path, "/props")) {
        answer_props(s, p);
    } else if (bx_str_eqz(path, "/health")) {
        plain_reply(&p->reply, 200, "", "application/json", BX_STR_LIT("{\"status\":\"ok\"}"));
    } else if (bx_str_ends(path, "/models")) {
        plain_reply(
            &p->reply, 200, "", "application/json",
            BX_STR_LIT(
                "{\"object\":\"list\",\"data\":[{\"id\":\"scripted\",\"object\":\"model\"}]}"));
    } else {
        plain_reply(&p->reply, 404, "", "application/json",
                    BX_STR_LIT("{\"error\":{\"message\":\"no such path\"}}"));
    }
    p->wait_until_ms = p->reply.delay_ms ? bx_mono_ms() + p->reply.delay_ms : 0;
}

/* Takes one whole request off p->in and answers it; false when there is none yet. */
static bool take_request(struct scripted *s, struct peer *p) {
    struct bx_str all = bx_buf_str(&p->in), path = {0}, authorization = {0}, line, word;
    size_t end = bx_str_find_str(all, BX_STR_LIT("\r\n\r\n"));
    if (end == (size_t)-1) {
        return false;
    }
    uint64_t length = 0;
    struct bx_str head = bx_str_slice(all, 0, end), rest = head;
    for (bool first = true; bx_str_split(&rest, '\n', &line); first = false) {
        if (first) {
            bx_str_split(&line, ' ', &word);
            bx_str_split(&line, ' ', &path);
            continue;
        }
        size_t colon = bx_str_find(line, ':');
        struct bx_str name = bx_str_slice(line, 0, colon),
                      value = bx_str_trim(bx_str_slice(line, colon + 1, line.n));
        if (bx_str_ieqz(name, "content-length")) {
            bx_str_to_u64(value, &length);
        } else if (bx_str_ieqz(name, "authorization")) {
            authorization = value;
        }
    }
    if (all.n - end - 4 < length) {
        return false;
    }
    answer(s, p, path, authorization, bx_str_slice(all, end + 4, (size_t)length));
    bx_buf_consume(&p->in, end + 4 + (size_t)length);
    p->first_byte_us = bx_mono_us(); /* of a request that came right behind */
    return true;
}

static void peer_read(struct peer *p) {
    char *space = bx_buf_space(&p->in, 64 * BX_KIB);
    ssize_t n = space ? read(p->fd, space, 64 * BX_KIB) : 0;
    if (n <= 0) {
        p->dead = !(n < 0 && (errno == EAGAIN || errno == EINTR));
        return;
    }
    if (p->in.size == 0) {
        p->first_byte_us = bx_mono_us();
    }
    bx_buf_grew(&p->in, (size_t)n);
}

static void replied(struct scripted *s, const struct peer *p, uint64_t at_us) {
    BX_LOCKED(&s->lock);
    if (p->record > 0 && p->record <= s->records.n) {
        s->records.p[p->record - 1].replied_at_us = at_us;
    }
}

static bool is_held(const struct scripted *s, const struct peer *p) {
    return s->served < p->reply.after_requests;
}

/* Sends what may be sent now. */
static void peer_write(struct scripted *s, struct peer *p) {
    struct reply *r = &p->reply;
    while (!p->dead && p->replying && !is_held(s, p)) {
        if (p->wait_until_ms) {
            if (bx_mono_ms() < p->wait_until_ms) {
                return;
            }
            p->wait_until_ms = 0;
        }
        size_t until = r->pause_ms && p->sent < r->pause_at ? r->pause_at : r->out.size;
        size_t n = until - p->sent;
        n = r->chunk_bytes ? BX_MIN(n, r->chunk_bytes) : n;
        uint64_t now_us = bx_mono_us(); // before: the other side may be awake before send returns
        ssize_t sent = send(p->fd, r->out.p + p->sent, n, MSG_NOSIGNAL);
        if (sent < 0) {
            p->dead = errno != EAGAIN && errno != EINTR;
            return;
        }
        p->sent += (size_t)sent;
        if (r->pause_ms && p->sent == r->pause_at) {
            p->wait_until_ms = bx_mono_ms() + r->pause_ms;
            r->pause_ms = 0;
        }
        if (p->sent == r->out.size) {
            if (r->forever_from) {
                p->sent = r->forever_from;
                return; // one round for each turn of poll
            }
            replied(s, p, now_us);
            p->dead = r->close;
            p->replying = false;
            bx_buf_deinit(&r->out);
        }
    }
}

static void accept_all(struct scripted *s) {
    for (int fd; (fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0;) {
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct peer *p = bx_new(struct peer);
        p->fd = fd;
        p->in = BX_BUF_INIT(MAX_REQUEST);
        bx_vec_push(&s->peers, p);
        BX_LOCKED(&s->lock);
        s->connections++;
    }
}

static int poll_timeout(const struct scripted *s) {
    uint64_t now = bx_mono_ms(), next = UINT64_MAX;
    for (size_t i = 0; i < s->peers.n; i++) {
        if (s->peers.p[i]->wait_until_ms) {
            next = BX_MIN(next, s->peers.p[i]->wait_until_ms);
        }
    }
    return next == UINT64_MAX ? -1 : next <= now ? 0 : (int)BX_MIN(next - now, 60000);
}

void scripted_serve(struct scripted *s) {
    BX_VEC(struct pollfd) fds = {0};
    for (;;) {
        fds.n = 0;
        bx_vec_push(&fds, ((struct pollfd){.fd = s->stop_fd, .events = POLLIN}));
        bx_vec_push(&fds, ((struct pollfd){.fd = s->listen_fd, .events = POLLIN}));
        for (size_t i = 0; i < s->peers.n; i++) {
            struct peer *p = s->peers.p[i];
            bool write_now = p->replying && !p->wait_until_ms && !is_held(s, p);
            bx_vec_push(&fds,
                        ((struct pollfd){.fd = p->fd,
                                         .events = (short)(POLLIN | (write_now ? POLLOUT : 0))}));
        }
        if (poll(fds.p, fds.n, poll_timeout(s)) < 0 && errno != EINTR) {
            break;
        }
        if (fds.p[0].revents) {
            break;
        }
        size_t known = s->peers.n;
        if (fds.p[1].revents) {
            accept_all(s);
        }
        for (size_t i = 0; i < known; i++) {
            struct peer *p = s->peers.p[i];
            if (fds.p[i + 2].revents & (POLLIN | POLLHUP | POLLERR)) {
                peer_read(p);
            }
            if (!p->dead && !p->replying) {
                take_request(s, p);
            }
            peer_write(s, p);
        }
        for (size_t i = s->peers.n; i > 0; i--) {
            if (s->peers.p[i - 1]->dead) {
                peer_free(s->peers.p[i - 1]);
                bx_vec_remove(&s->peers, i - 1);
            }
        }
    }
    bx_vec_free(&fds);
}
