/* A server that is a program: one JSON message a line on its standard input and output.
 *
 * A thread of the wire reads; callers write, one at a time, never longer than their deadline. The
 * child is a process group of its own with a clean environment, and ends as a whole. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/path.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "loop/child.h"
#include "mcp/wire.h"

#define TAIL_BYTES       (8 * BX_KIB)
#define GARBAGE_MAX      (64 * BX_KIB) /* on standard output: some programs greet their user */
#define UNASKED_MAX      20000         /* messages a second that nobody waits for */
#define CLOSE_GRACE_MS   300
#define TERM_GRACE_MS    500
#define SAY_CANCELLED_MS 50

struct stdio {
    struct bx_mcp_wire wire;
    struct bx_mcp_wire_config config;
    pid_t pid;
    int in, out, errors, stop; /* in: its standard input; stop: an eventfd that ends the reader */
    pthread_t reader;
    struct bx_mcp_waiters waiters;
    struct bx_buf line; /* the reader's */
    size_t garbage, unasked;
    uint64_t unasked_since_ms;
    pthread_mutex_t lock; /* of: */
    pthread_cond_t turn;
    bool writing;
    struct bx_buf tail;
};

/* ---- reading ---- */

static void add_tail(struct stdio *s, struct bx_str piece) {
    BX_LOCKED(&s->lock);
    if (s->tail.size + piece.n > 2 * TAIL_BYTES) {
        piece = bx_str_slice(piece, piece.n > TAIL_BYTES ? piece.n - TAIL_BYTES : 0, piece.n);
        size_t keep = BX_MIN(s->tail.size, TAIL_BYTES);
        bx_buf_consume(&s->tail, s->tail.size - keep);
    }
    bx_buf_adds(&s->tail, piece);
}

static bool too_many_unasked(struct stdio *s) {
    uint64_t now = bx_mono_ms();
    if (now - s->unasked_since_ms > 1000) {
        s->unasked_since_ms = now;
        s->unasked = 0;
    }
    return ++s->unasked > UNASKED_MAX;
}

static bool take_line(struct stdio *s, struct bx_str line) {
    struct bx_doc *doc = NULL;
    struct bx_rpc m;
    line = bx_str_trim(line);
    if (!line.n)
        return true;
    if (bx_rpc_parse(line, &doc, &m, NULL)) {
        add_tail(s, bx_str_slice(line, 0, 200));
        add_tail(s, BX_STR_LIT("\n"));
        s->garbage += line.n;
        if (s->garbage <= GARBAGE_MAX)
            return true;
        bx_mcp_waiters_gone(&s->waiters,
                            "its standard output is not MCP (a program that prints there must "
                            "print to standard error instead)");
        return false;
    }
    if (bx_mcp_waiters_give(&s->waiters, doc, &m))
        return true;
    bool flood = too_many_unasked(s);
    if (flood)
        bx_mcp_waiters_gone(&s->waiters, "it flooded us with messages that nobody asked for");
    else if (m.kind != BX_RPC_RESPONSE) /* an answer that comes too late is nobody's */
        s->config.on_message(s->config.user, &s->wire, &m);
    bx_doc_free(doc);
    return !flood;
}

static bool take_output(struct stdio *s) {
    char piece[65536];
    ssize_t n = read(s->out, piece, sizeof piece);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return true;
    if (n <= 0)
        return false;
    struct bx_str rest = bx_str_n(piece, (size_t)n);
    for (size_t end; (end = bx_str_find(rest, '\n')) != (size_t)-1;) {
        struct bx_str line = bx_str_slice(rest, 0, end);
        bool whole = !s->line.size;
        if (!whole && bx_buf_adds(&s->line, line))
            break;
        if (!take_line(s, whole ? line : bx_buf_str(&s->line)))
            return false;
        bx_buf_reset(&s->line);
        rest = bx_str_slice(rest, end + 1, rest.n);
    }
    if (!bx_buf_failed(&s->line))
        bx_buf_adds(&s->line, rest);
    if (!bx_buf_failed(&s->line))
        return true;
    bx_mcp_waiters_gone(&s->waiters, "it sent a message larger than 32 MiB");
    return false;
}

static void *read_main(void *user) {
    struct stdio *s = user;
    bool errors_open = true;
    for (;;) {
        struct pollfd fds[3] = {{.fd = s->stop, .events = POLLIN},
                                {.fd = s->out, .events = POLLIN},
                                {.fd = errors_open ? s->errors : -1, .events = POLLIN}};
        if (poll(fds, 3, -1) < 0 && errno != EINTR)
            break;
        if (fds[2].revents) {
            char piece[4096];
            ssize_t n = read(s->errors, piece, sizeof piece);
            errors_open = n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
            if (n > 0)
                add_tail(s, bx_str_n(piece, (size_t)n));
        }
        if (fds[0].revents || (fds[1].revents && !take_output(s)))
            break;
    }
    bx_mcp_waiters_gone(&s->waiters, "the server ended");
    return NULL;
}

/* ---- writing ---- */

static int next_turn(struct stdio *s, uint64_t deadline_ms, struct bx_cancel *cancel,
                     struct bx_err *err) {
    BX_LOCKED(&s->lock);
    while (s->writing) {
        uint64_t now = bx_mono_ms();
        if (bx_cancel_fired(cancel))
            return bx_fail(err, BX_ERR_CANCELLED, "stopped");
        if (now >= deadline_ms)
            return bx_fail(err, BX_ERR_TIMEOUT, "the server does not read what it is sent");
        bx_cond_wait_ms(&s->turn, &s->lock, BX_MIN(deadline_ms - now, 50));
    }
    s->writing = true;
    return 0;
}

static void end_turn(struct stdio *s) {
    BX_LOCKED(&s->lock);
    s->writing = false;
    pthread_cond_signal(&s->turn);
}

static int write_some(struct stdio *s, struct bx_str *rest, uint64_t deadline_ms,
                      struct bx_cancel *cancel, struct bx_err *err) {
    ssize_t n = write(s->in, rest->p, rest->n);
    if (n >= 0) {
        *rest = bx_str_slice(*rest, (size_t)n, rest->n);
        return 0;
    }
    if (errno != EAGAIN && errno != EINTR)
        return bx_fail(err, BX_ERR_RETRY, "the server ended");
    char why[200];
    uint64_t now = bx_mono_ms();
    if (bx_mcp_waiters_is_gone(&s->waiters, why))
        return bx_fail(err, BX_ERR_RETRY, "%s", why);
    if (bx_cancel_fired(cancel))
        return bx_fail(err, BX_ERR_CANCELLED, "stopped");
    if (now >= deadline_ms)
        return bx_fail(err, BX_ERR_TIMEOUT, "the server does not read what it is sent");
    struct pollfd fds[2] = {{.fd = s->in, .events = POLLOUT},
                            {.fd = bx_cancel_fd(cancel), .events = POLLIN}};
    poll(fds, 2,
         (int)BX_MIN(deadline_ms - now, 100)); /* 100: the reader may find that it is gone */
    return 0;
}

static int write_message(struct stdio *s, struct bx_str body, uint64_t deadline_ms,
                         struct bx_cancel *cancel, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf line = BX_BUF_INIT(BX_MCP_MESSAGE_MAX * 2 + 2);
    bx_buf_adds(&line, body);
    bx_buf_addc(&line, '\n');
    if (bx_buf_failed(&line))
        return bx_fail(err, BX_ERR_LIMIT, "the message is too large for an MCP server");
    int rc = next_turn(s, deadline_ms, cancel, err);
    if (rc)
        return rc;
    struct bx_str rest = bx_buf_str(&line);
    while (!rc && rest.n)
        rc = write_some(s, &rest, deadline_ms, cancel, err);
    if (rc && rest.n < line.size) /* half a line: nothing can follow it */
        bx_mcp_waiters_gone(&s->waiters, "it did not read what it was sent");
    end_turn(s);
    return rc;
}

static int send_exchange(void *user, const struct bx_mcp_exchange *x, struct bx_err *err) {
    return write_message(user, x->body, x->deadline_ms, x->cancel, err);
}

static void say_cancelled(struct stdio *s, uint64_t id, const char *reason) {
    struct bx_rpc_writer m;
    bx_rpc_begin(&m, 0, "notifications/cancelled");
    bx_jw_kuint(&m.w, "requestId", id);
    bx_jw_kstr(&m.w, "reason", reason);
    bx_rpc_end(&m);
    (void)write_message(s, bx_buf_str(&m.body), bx_mono_ms() + SAY_CANCELLED_MS, NULL, NULL);
    bx_buf_deinit(&m.body);
}

/* ---- the wire ---- */

static int stdio_request(struct bx_mcp_wire *w, const struct bx_mcp_exchange *x,
                         struct bx_doc **ret, struct bx_rpc *ret_message, struct bx_err *err) {
    struct stdio *s = (struct stdio *)w;
    int rc = bx_mcp_waiters_run(&s->waiters, x, send_exchange, s, ret, ret_message, err);
    if ((rc == BX_ERR_CANCELLED || rc == BX_ERR_TIMEOUT) && strcmp(x->method, "initialize"))
        say_cancelled(s, x->id, rc == BX_ERR_CANCELLED ? "stopped by the user" : "took too long");
    return rc;
}

static int stdio_notify(struct bx_mcp_wire *w, struct bx_str body, uint64_t deadline_ms,
                        struct bx_err *err) {
    return write_message((struct stdio *)w, body, deadline_ms, NULL, err);
}

static void stdio_ready(struct bx_mcp_wire *w, const char *version, bool listen) {
    (void)w, (void)version, (void)listen; /* changes come by the same pipe */
}

static bool stdio_is_alive(struct bx_mcp_wire *w, char why[static 200]) {
    return !bx_mcp_waiters_is_gone(&((struct stdio *)w)->waiters, why);
}

static void stdio_tail(struct bx_mcp_wire *w, struct bx_buf *out) {
    struct stdio *s = (struct stdio *)w;
    BX_LOCKED(&s->lock);
    size_t from = s->tail.size > TAIL_BYTES ? s->tail.size - TAIL_BYTES : 0;
    bx_auto(bx_buf_deinit) struct bx_buf valid = BX_BUF_INIT(4 * TAIL_BYTES);
    bx_utf8_add_clean(&valid, bx_str_slice(bx_buf_str(&s->tail), from, s->tail.size));
    bx_mcp_clean(out, bx_buf_str(&valid), valid.size);
}

static bool ends_within(pid_t pid, uint64_t ms) {
    for (uint64_t end = bx_mono_ms() + ms;;) {
        siginfo_t info = {.si_pid = 0};
        if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid)
            return true;
        if (bx_mono_ms() >= end)
            return false;
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
}

/* Its input ends, which asks it to end; then SIGTERM, then SIGKILL, both to the whole group. The
 * leader is reaped last, so that the number of the group is still its own. */
static void end_child(struct stdio *s) {
    int status;
    bx_fd_close(&s->in);
    if (s->pid <= 0)
        return;
    if (!ends_within(s->pid, CLOSE_GRACE_MS)) {
        kill(-s->pid, SIGTERM);
        ends_within(s->pid, TERM_GRACE_MS);
    }
    kill(-s->pid, SIGKILL);
    while (waitpid(s->pid, &status, 0) < 0 && errno == EINTR) {
    }
}

static void stdio_free(struct stdio *s) {
    end_child(s);
    bx_fd_close(&s->out);
    bx_fd_close(&s->errors);
    bx_fd_close(&s->stop);
    bx_buf_deinit(&s->line);
    bx_buf_deinit(&s->tail);
    bx_mcp_waiters_deinit(&s->waiters);
    pthread_cond_destroy(&s->turn);
    pthread_mutex_destroy(&s->lock);
    bx_free(s);
}

static void stdio_close(struct bx_mcp_wire *w) {
    struct stdio *s = (struct stdio *)w;
    uint64_t one = 1;
    bx_mcp_waiters_gone(&s->waiters, "the server was stopped");
    (void)bx_write_all(s->stop, &one, sizeof one);
    pthread_join(s->reader, NULL);
    stdio_free(s);
}

/* ---- starting ---- */

struct command {
    BX_VEC(char *) argv, env;
    char *path, *cwd;
};

static void command_deinit(struct command *c) {
    for (size_t i = 0; i < c->argv.n; i++)
        bx_free(c->argv.p[i]);
    for (size_t i = 0; i < c->env.n; i++)
        bx_free(c->env.p[i]);
    bx_vec_free(&c->argv);
    bx_vec_free(&c->env);
    bx_free(c->path);
    bx_free(c->cwd);
}

static int expand(const struct stdio *s, struct bx_str text, char **ret, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf out = BX_BUF_INIT(256 * BX_KIB);
    int rc = bx_mcp_expand(text, s->config.secret, s->config.secret_user, &out, err);
    if (!rc)
        *ret = out.size ? bx_buf_steal(&out) : bx_strdup("");
    return rc;
}

/* A name without a slash is looked for in PATH, as a shell would. */
static int find_program(const char *name, const char *cwd, char **ret, struct bx_err *err) {
    if (strchr(name, '/')) {
        *ret = bx_path_join(cwd, name);
        return 0;
    }
    struct bx_str rest = bx_str(getenv("PATH")), dir;
    while (bx_str_split(&rest, ':', &dir)) {
        bx_auto(bx_freep) char *folder = bx_str_dup(dir), *path = bx_path_join(folder, name);
        if (dir.n && dir.p[0] == '/' && access(path, X_OK) == 0) {
            *ret = bx_steal(&path);
            return 0;
        }
    }
    return bx_fail(err, BX_ERR_NOTFOUND, "there is no program \"%.100s\" in PATH", name);
}

static int make_env(const struct stdio *s, const struct bx_val *entry, struct command *c,
                    struct bx_err *err) {
    static const char *const kept[] = {"PATH", "HOME", "LANG"};
    const struct bx_val *env = bx_val_get(entry, "env");
    for (size_t i = 0; i < BX_ARRAY_LEN(kept); i++)
        if (getenv(kept[i]) && !bx_val_get(env, kept[i]))
            bx_vec_push(&c->env, bx_asprintf("%s=%s", kept[i], getenv(kept[i])));
    bx_val_foreach_member (env, key, value) {
        char *text = NULL;
        int rc = expand(s, bx_val_str(value), &text, err);
        if (rc)
            return bx_wrap(err, rc, "env." BX_STR_FMT, BX_STR_ARG(key));
        bx_vec_push(&c->env, bx_asprintf(BX_STR_FMT "=%s", BX_STR_ARG(key), text));
        bx_free(text);
    }
    bx_vec_push(&c->env, NULL);
    return 0;
}

static int make_command(const struct stdio *s, struct command *c, struct bx_err *err) {
    const struct bx_val *entry = bx_doc_root(s->config.server->doc);
    bx_auto(bx_freep) char *cwd = NULL;
    char *text = NULL;
    int rc = expand(s, bx_val_get_str(entry, "cwd"), &cwd, err);
    if (rc)
        return rc;
    c->cwd = bx_path_join(s->config.root, *cwd ? cwd : ".");
    if ((rc = expand(s, bx_val_get_str(entry, "command"), &text, err)))
        return rc;
    bx_vec_push(&c->argv, text);
    bx_val_foreach_item (bx_val_get(entry, "args"), arg) {
        if ((rc = expand(s, bx_val_str(arg), &text, err)))
            return rc;
        bx_vec_push(&c->argv, text);
    }
    rc = find_program(c->argv.p[0], c->cwd, &c->path, err);
    bx_vec_push(&c->argv, NULL);
    return rc ? rc : make_env(s, entry, c, err);
}

static int start(struct stdio *s, struct bx_err *err) {
    bx_auto(command_deinit) struct command c = {.path = NULL};
    int in[2] = {-1, -1}, out[2] = {-1, -1}, errors[2] = {-1, -1};
    int rc = make_command(s, &c, err);
    if (rc)
        return rc;
    if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(errors, O_CLOEXEC) < 0)
        rc = bx_fail_errno(err, errno, "cannot make a pipe");
    if (!rc)
        rc = bx_child_start(&(struct bx_child_spec){.path = c.path,
                                                    .argv = (const char *const *)c.argv.p,
                                                    .env = (const char *const *)c.env.p,
                                                    .cwd = c.cwd,
                                                    .stdin_fd = in[0],
                                                    .stdout_fd = out[1],
                                                    .stderr_fd = errors[1]},
                            &s->pid, err);
    s->in = in[1];
    s->out = out[0];
    s->errors = errors[0];
    bx_fd_close(&in[0]);
    bx_fd_close(&out[1]);
    bx_fd_close(&errors[1]);
    if (rc)
        return rc;
    fcntl(s->in, F_SETFL, O_NONBLOCK);
    fcntl(s->out, F_SETFL, O_NONBLOCK);
    fcntl(s->errors, F_SETFL, O_NONBLOCK);
    s->stop = eventfd(0, EFD_CLOEXEC);
    if (s->stop < 0)
        return bx_fail_errno(err, errno, "cannot make an eventfd");
    return bx_thread_start(&s->reader, "bx-mcp", read_main, s, err);
}

int bx_mcp_stdio_open(const struct bx_mcp_wire_config *config, struct bx_mcp_wire **ret,
                      struct bx_err *err) {
    struct stdio *s = bx_new(struct stdio);
    *s = (struct stdio){
        .wire = {.request = stdio_request,
                 .notify = stdio_notify,
                 .ready = stdio_ready,
                 .is_alive = stdio_is_alive,
                 .tail = stdio_tail,
                 .close = stdio_close},
        .config = *config,
        .in = -1,
        .out = -1,
        .errors = -1,
        .stop = -1,
        .line = BX_BUF_INIT(BX_MCP_MESSAGE_MAX),
        .tail = BX_BUF_INIT(4 * TAIL_BYTES),
    };
    pthread_mutex_init(&s->lock, NULL);
    bx_cond_init(&s->turn);
    bx_mcp_waiters_init(&s->waiters);
    int rc = start(s, err);
    if (rc) {
        stdio_free(s);
        return rc;
    }
    *ret = &s->wire;
    return 0;
}
