#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/unwire.h"
#include "base/vec.h"
#include "git/git.h"
#include "git/internal.h"
#include "loop/child.h"

#define OUTPUT_MAX (8 * BX_MIB)
#define SAID_MAX   (16 * BX_KIB)
#define TIMEOUT_MS 60000
#define GRACE_MS   2000 /* git takes its lock files away */

typedef BX_VEC(const char *) args_t;

/* What a program of the system needs to run at all; harmless to read. */
static const char *const system_reads[] = {
    "/lib",       "/lib64",     "/usr/lib",         "/usr/lib64",   "/usr/local/lib",
    "/nix/store", "/gnu/store", "/etc/ld.so.cache", "/dev/urandom", NULL};

/* Over whatever the repository's own configuration says. With these and the wall a call runs
 * nothing but itself; each of the two would do. */
static const char *const settings[] = {"core.fsmonitor=false",
                                       "core.untrackedCache=false",
                                       "core.attributesFile=/dev/null",
                                       "core.excludesFile=/dev/null",
                                       "core.pager=cat",
                                       "core.editor=:",
                                       "core.askPass=",
                                       "core.sshCommand=",
                                       "core.alternateRefsCommand=",
                                       "credential.helper=",
                                       "protocol.allow=never",
                                       "commit.gpgSign=false",
                                       "tag.gpgSign=false",
                                       "gc.auto=0",
                                       "maintenance.auto=false",
                                       "diff.external=",
                                       "diff.ignoreSubmodules=all",
                                       "submodule.recurse=false",
                                       "core.quotePath=false",
                                       "core.safecrlf=false",
                                       NULL};

static void push_rule(args_t *a, const char *kind, const char *base, const char *path) {
    bx_vec_push(a, kind);
    bx_vec_push(a, base);
    bx_vec_push(a, path);
}

static void push_arguments(const struct bx_git_call *call, args_t *a) {
    bx_vec_push(a, "boxagnts");
    bx_vec_push(a, BX_GIT_CHILD_ARG);
    push_rule(a, "x", "-", call->git->path);
    if (call->git->loader)
        push_rule(a, "x", "-", call->git->loader);
    for (size_t i = 0; system_reads[i]; i++)
        push_rule(a, "r?", "-", system_reads[i]);
    push_rule(a, "w", "-", "/dev/null");
    for (size_t i = 0; i < call->reach_count; i++) {
        const struct bx_git_reach *r = &call->reach[i];
        push_rule(a,
                  r->writable   ? (r->optional ? "w?" : "w")
                  : r->optional ? "r?"
                                : "r",
                  r->base ? r->base : "-", r->path);
    }
    bx_vec_push(a, "--");
    bx_vec_push(a, call->git->path);
    for (size_t i = 0; settings[i]; i++) {
        bx_vec_push(a, "-c");
        bx_vec_push(a, settings[i]);
    }
    if (!bx_unwired("git_hooks")) {
        bx_vec_push(a, "-c");
        bx_vec_push(a, "core.hooksPath=/dev/null");
    }
    bx_vec_push(a, "--no-pager");
    for (size_t i = 0; call->argv[i]; i++)
        bx_vec_push(a, call->argv[i]);
    bx_vec_push(a, NULL);
}

static void push_variable(args_t *e, const char *name, const char *value) {
    if (value)
        bx_vec_push(e, bx_asprintf("%s=%s", name, value));
}

/* All of it: nothing of the server's own environment reaches git. */
static void push_environment(const struct bx_git_call *call, args_t *e) {
    static const char *const fixed[][2] = {{"HOME", "/nonexistent"},
                                           {"LC_ALL", "C"},
                                           {"TZ", "UTC"},
                                           {"GIT_CONFIG_NOSYSTEM", "1"},
                                           {"GIT_CONFIG_GLOBAL", "/dev/null"},
                                           {"GIT_ATTR_NOSYSTEM", "1"},
                                           {"GIT_TERMINAL_PROMPT", "0"},
                                           {"GIT_ASKPASS", ""},
                                           {"GIT_EDITOR", ":"},
                                           {"GIT_PAGER", "cat"},
                                           {"GIT_ALLOW_PROTOCOL", ""},
                                           {"GIT_NO_REPLACE_OBJECTS", "1"},
                                           {"GIT_LITERAL_PATHSPECS", "1"},
                                           {"GIT_OPTIONAL_LOCKS", "0"},
                                           {"GIT_NO_LAZY_FETCH", "1"},
                                           {"GIT_AUTHOR_NAME", "BoxAgnts"},
                                           {"GIT_AUTHOR_EMAIL", "boxagnts@localhost"},
                                           {"GIT_COMMITTER_NAME", "BoxAgnts"},
                                           {"GIT_COMMITTER_EMAIL", "boxagnts@localhost"},
                                           {NULL, NULL}};
    for (size_t i = 0; fixed[i][0]; i++)
        push_variable(e, fixed[i][0], fixed[i][1]);
    push_variable(e, "GIT_DIR", call->git_dir);
    push_variable(e, "GIT_WORK_TREE", call->work_tree);
    push_variable(e, "GIT_OBJECT_DIRECTORY", call->objects);
    push_variable(e, "GIT_INDEX_FILE", call->index);
    push_variable(e, "GIT_SHALLOW_FILE", call->shallow);
    if (*bx_unwire_list()) /* debug builds: the child switches its part off, too */
        push_variable(e, "BX_UNWIRE", bx_unwire_list());
    bx_vec_push(e, NULL);
}

struct pipes {
    int in, out, err; /* ours */
};

/* fds: in's reading end, out's and err's writing ends: the child's. */
static int make_pipes(struct pipes *ours, int fds[3], struct bx_err *err) {
    int p[3][2];
    for (int i = 0; i < 3; i++) {
        if (pipe2(p[i], O_CLOEXEC) < 0) {
            int e = errno;
            while (i-- > 0) {
                close(p[i][0]);
                close(p[i][1]);
            }
            return bx_fail_errno(err, e, "a pipe to git");
        }
    }
    *ours = (struct pipes){p[0][1], p[1][0], p[2][0]};
    fds[0] = p[0][0], fds[1] = p[1][1], fds[2] = p[2][1];
    fcntl(ours->in, F_SETFL, O_NONBLOCK);
    return 0;
}

static int start(const struct bx_git_call *call, struct pipes *ours, pid_t *ret_pid,
                 struct bx_err *err) {
    args_t argv = {0}, env = {0};
    int fds[3] = {-1, -1, -1};
    int rc = make_pipes(ours, fds, err);
    if (rc)
        return rc;
    push_arguments(call, &argv);
    push_environment(call, &env);
    struct bx_child_spec spec = {.path = "/proc/self/exe",
                                 .argv = argv.p,
                                 .env = env.p,
                                 .cwd = call->work_tree,
                                 .stdin_fd = fds[0],
                                 .stdout_fd = fds[1],
                                 .stderr_fd = fds[2]};
    rc = bx_child_start(&spec, ret_pid, err);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    for (size_t i = 0; i < env.n; i++)
        bx_free((char *)(uintptr_t)env.p[i]);
    bx_vec_free(&env);
    bx_vec_free(&argv);
    if (rc) {
        bx_fd_close(&ours->in);
        bx_fd_close(&ours->out);
        bx_fd_close(&ours->err);
    }
    return rc;
}

/* False at the end of it. */
static bool take(int *fd, struct bx_buf *into, bool *cut) {
    char piece[65536];
    ssize_t n = read(*fd, piece, sizeof piece);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return true;
    if (n <= 0) {
        bx_fd_close(fd);
        return false;
    }
    size_t room = into->max - into->size, take = BX_MIN((size_t)n, room);
    bx_buf_add(into, piece, take);
    *cut |= take < (size_t)n;
    return true;
}

/* Feeds and reads until both outputs are closed, the time is over, somebody says stop, or there is
 * too much. */
static int talk(const struct bx_git_call *call, struct pipes *p, struct bx_git_result *ret,
                struct bx_buf *said, struct bx_err *err) {
    uint64_t timeout_ms = call->timeout_ms ? call->timeout_ms : TIMEOUT_MS,
             until = bx_mono_ms() + timeout_ms;
    struct bx_str input = call->input;
    bool more = false;
    while (p->out >= 0 || p->err >= 0) {
        if (!input.n)
            bx_fd_close(&p->in);
        uint64_t now = bx_mono_ms();
        if (now >= until)
            return bx_fail(err, BX_ERR_TIMEOUT, "git took longer than %" PRIu64 " s",
                           timeout_ms / 1000);
        struct pollfd fds[] = {{.fd = p->in, .events = POLLOUT},
                               {.fd = p->out, .events = POLLIN},
                               {.fd = p->err, .events = POLLIN},
                               {.fd = bx_cancel_fd(call->cancel), .events = POLLIN}};
        if (poll(fds, 4, (int)BX_MIN(until - now, (uint64_t)60000)) < 0 && errno != EINTR)
            return bx_fail_errno(err, errno, "waiting for git");
        if (bx_cancel_fired(call->cancel))
            return bx_fail(err, BX_ERR_CANCELLED, "stopped");
        if (fds[0].revents) {
            ssize_t n = write(p->in, input.p, input.n);
            if (n >= 0)
                input = bx_str_slice(input, (size_t)n, input.n);
            else if (errno != EAGAIN && errno != EINTR)
                input.n = 0; /* it reads no more: its status says why */
        }
        if (fds[1].revents)
            take(&p->out, &ret->out, &ret->cut);
        if (fds[2].revents)
            take(&p->err, said, &more);
        if (ret->cut)
            return 0;
    }
    return 0;
}

static void first_line(const struct bx_buf *said, char *ret, size_t max) {
    struct bx_str rest = bx_buf_str(said), line = {0};
    while (bx_str_split(&rest, '\n', &line) &&
           (!bx_str_trim(line).n || bx_str_starts(line, "warning: ")))
        ;
    static const char *const prefixes[] = {"fatal: ", "error: "};
    for (size_t i = 0; i < BX_ARRAY_LEN(prefixes); i++)
        if (bx_str_starts(line, prefixes[i]))
            line = bx_str_slice(line, strlen(prefixes[i]), line.n);
    snprintf(ret, max, BX_STR_FMT, BX_STR_ARG(bx_str_trim(line)));
}

/* One that has closed its outputs is about to end. */
static void reap(pid_t pid, bool stop, int *ret_status) {
    bx_auto(bx_fd_close) int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd ended = {.fd = fd, .events = POLLIN};
    if (!stop)
        poll(&ended, 1, GRACE_MS);
    if (!bx_child_poll(pid, ret_status))
        bx_child_stop(pid, GRACE_MS, ret_status);
}

int bx_git_run(const struct bx_git_call *call, struct bx_git_result *ret, struct bx_err *err) {
    struct pipes p;
    pid_t pid;
    int status = 0;
    *ret = (struct bx_git_result){
        .out = BX_BUF_INIT(call->output_max_bytes ? call->output_max_bytes : OUTPUT_MAX)};
    int rc = start(call, &p, &pid, err);
    if (rc)
        return rc;
    bx_auto(bx_buf_deinit) struct bx_buf said = BX_BUF_INIT(SAID_MAX);
    rc = talk(call, &p, ret, &said, err);
    bx_fd_close(&p.in);
    bx_fd_close(&p.out);
    bx_fd_close(&p.err);
    reap(pid, rc || ret->cut, &status);
    first_line(&said, ret->said, sizeof ret->said);
    ret->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (!rc && ret->status == BX_GIT_NO_WALL)
        rc = bx_fail(err, BX_ERR_UNAVAILABLE, "git cannot be fenced in: %s", ret->said);
    if (rc)
        bx_git_result_deinit(ret);
    return rc;
}

void bx_git_result_deinit(struct bx_git_result *r) {
    bx_buf_deinit(&r->out);
    *r = (struct bx_git_result){0};
}
