/* run: one message to the agent, its answer on stdout, what it does on stderr. */
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>

#include "base/cancel.h"
#include "base/file.h"
#include "base/thread.h"
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "cli/show.h"

#define MCP_WAIT_MS 10000 /* for servers whose tools are not known yet */

/* A session's events as they come: the watch rings, this thread reads. */
struct follower {
    struct bx_cli_context *c;
    struct bx_session *session;
    struct bx_show show;
    struct bx_cursor cursor;
    int bell;
    bool json, ended;
    int code;
};

static atomic_int interrupts;
static int interrupt_bell = -1;

static void on_interrupt(int signum) {
    (void)signum;
    if (atomic_fetch_add(&interrupts, 1) > 0) {
        _exit(BX_EXIT_STOPPED); /* the second one does not wait */
    }
    uint64_t one = 1;
    (void)!write(interrupt_bell, &one, sizeof one);
}

static void ring(void *user) {
    struct follower *f = user;
    uint64_t one = 1;
    (void)!write(f->bell, &one, sizeof one);
}

/* Ctrl-C while the run has not begun: what waits then takes a token. */
struct early_stop {
    struct bx_cancel *cancel;
    pthread_t thread;
    int over; /* eventfd: nobody waits any more */
    bool runs;
};

static void *wait_for_interrupt(void *user) {
    struct early_stop *e = user;
    struct pollfd fds[] = {{.fd = interrupt_bell, .events = POLLIN},
                           {.fd = e->over, .events = POLLIN}};
    while (poll(fds, 2, -1) < 0 && errno == EINTR) {
    }
    if (fds[0].revents) {
        bx_cancel_fire(e->cancel, "Ctrl-C");
    }
    return NULL;
}

/* Servers whose tools are not known yet; false: Ctrl-C came first. */
static bool learn_mcp(struct follower *f) {
    struct early_stop e = {.cancel = bx_cancel_new(NULL),
                           .over = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    e.runs = bx_thread_start(&e.thread, "bx-stop", wait_for_interrupt, &e, NULL) == 0;
    bx_mcp_learn(f->c->mcp, MCP_WAIT_MS, e.cancel);
    uint64_t one = 1;
    (void)!write(e.over, &one, sizeof one);
    if (e.runs) {
        pthread_join(e.thread, NULL);
    }
    bool goes_on = !bx_cancel_fired(e.cancel);
    bx_cancel_unref(e.cancel);
    bx_fd_close(&e.over);
    return goes_on;
}

static int exit_code_of(struct bx_str reason) {
    if (bx_str_eqz(reason, "done")) {
        return BX_EXIT_OK;
    }
    if (bx_str_eqz(reason, "max_turns") || bx_str_eqz(reason, "repeated_calls")) {
        return BX_EXIT_LIMIT;
    }
    return bx_str_eqz(reason, "stopped") ? BX_EXIT_STOPPED : BX_EXIT_FAILED;
}

/* Asks on the terminal; the answer goes where the page's would. An answer that does not fit is
 * asked for again. */
static void ask(struct follower *f, const struct bx_val *event) {
    struct bx_err err;
    for (int r = BX_ERR_INVALID; r == BX_ERR_INVALID;) {
        struct bx_spoken said;
        enum bx_ask got = bx_ask_terminal(&f->show, event, interrupt_bell, &said);
        if (got == BX_ASK_INTERRUPTED) {
            bx_spoken_deinit(&said);
            return; /* follow() sees the bell and stops the run, which ends the question */
        }
        struct bx_answer answer = {.choice = got == BX_ASK_GONE ? BX_CHOICE_NO : said.choice,
                                   .text = said.text,
                                   .answers = said.answers ? bx_doc_root(said.answers) : NULL,
                                   .from = "terminal"};
        r = bx_agent_answer(f->c->agent, bx_session_header(f->session)->id,
                            bx_val_get_z(event, "question"), &answer, &err);
        bx_spoken_deinit(&said);
        if (r < 0) {
            fprintf(stderr, "boxagnts: %s\n", err.msg);
        }
        if (got == BX_ASK_GONE) {
            return; /* nobody is there to ask again */
        }
    }
}

static void take_line(struct follower *f, struct bx_str line) {
    if (f->json) {
        (void)bx_write_all(STDOUT_FILENO, line.p, line.n);
        (void)bx_write_all(STDOUT_FILENO, "\n", 1);
    }
    struct bx_doc *doc = NULL;
    if (bx_doc_parse(line, NULL, &doc, NULL) < 0) {
        return;
    }
    const struct bx_val *event = bx_doc_root(doc);
    struct bx_str type = bx_val_get_str(event, "type");
    if (!f->json) {
        bx_show_event(&f->show, event);
    }
    if (bx_str_eqz(type, "question")) {
        ask(f, event);
    } else if (bx_str_eqz(type, "run_end")) {
        f->ended = true;
        f->code = exit_code_of(bx_val_get_str(event, "reason"));
    }
    bx_doc_free(doc);
}

static int drain(struct follower *f, struct bx_err *err) {
    struct bx_buf lines = BX_BUF_INIT(128 * BX_MIB);
    int n = 0;
    while (!f->ended &&
           (n = bx_session_read(f->session, &f->cursor, 256 * BX_KIB, &lines, err)) > 0) {
        struct bx_str rest = bx_buf_str(&lines), line;
        while (bx_str_split(&rest, '\n', &line)) {
            if (line.n) {
                take_line(f, line);
            }
        }
        bx_buf_reset(&lines);
    }
    bx_buf_deinit(&lines);
    return n < 0 ? n : 0;
}

static int follow(struct follower *f, struct bx_err *err) {
    for (;;) {
        int r = drain(f, err);
        if (r < 0 || f->ended) {
            return r;
        }
        struct pollfd p[2] = {{.fd = f->bell, .events = POLLIN},
                              {.fd = interrupt_bell, .events = POLLIN}};
        if (poll(p, 2, -1) < 0 && errno != EINTR) {
            return bx_fail_errno(err, errno, "cannot wait for the run");
        }
        uint64_t count;
        if (p[0].revents) {
            (void)!read(f->bell, &count, sizeof count);
        }
        if (p[1].revents) {
            (void)!read(interrupt_bell, &count, sizeof count);
            (void)bx_agent_stop_run(f->c->agent, bx_session_header(f->session)->id, NULL);
        }
    }
}

/* Operands are [DIR] [PROMPT]; one alone is the prompt when a workspace is named, or when it is no
 * folder. */
static int read_prompt(const struct bx_args *args, const char **ret_dir, char **ret_prompt,
                       struct bx_err *err) {
    const char *dir = NULL, *prompt = NULL;
    if (args->operands.n == 2) {
        dir = args->operands.p[0];
        prompt = args->operands.p[1];
    } else if (args->operands.n == 1) {
        prompt = args->operands.p[0];
        if (!bx_args_has(args, "workspace-dir") && !isatty(STDIN_FILENO) &&
            (strcmp(prompt, ".") == 0 || strchr(prompt, '/')) && access(prompt, X_OK) == 0) {
            dir = prompt;
            prompt = NULL;
        }
    }
    if (prompt) {
        *ret_prompt = bx_strdup(prompt);
    } else {
        if (isatty(STDIN_FILENO)) {
            return bx_fail(
                err, BX_ERR_INVALID,
                "say what to do: boxagnts run \"…\", or give the prompt on standard input");
        }
        struct bx_buf text = BX_BUF_INIT(4 * BX_MIB);
        char piece[16384];
        ssize_t got;
        while ((got = read(STDIN_FILENO, piece, sizeof piece)) > 0 &&
               bx_buf_add(&text, piece, (size_t)got) == 0) {
        }
        if (bx_buf_failed(&text)) {
            bx_buf_deinit(&text);
            return bx_fail(err, BX_ERR_LIMIT, "the prompt on standard input is larger than 4 MiB");
        }
        *ret_prompt = bx_buf_steal(&text);
    }
    if (bx_str_trim(bx_str(*ret_prompt)).n == 0) {
        bx_free(bx_steal(ret_prompt));
        return bx_fail(err, BX_ERR_INVALID, "the prompt is empty: boxagnts run \"…\"");
    }
    *ret_dir = dir;
    return 0;
}

static int read_options(const struct bx_args *args, struct bx_run_options *ret,
                        struct bx_err *err) {
    uint64_t max_turns;
    int r = bx_args_number(args, "max-turns", 1, 10000, 0, &max_turns, err);
    *ret = (struct bx_run_options){.max_turns = (unsigned)max_turns,
                                   .model = bx_args_get(args, "model"),
                                   .mode = bx_args_get(args, "mode"),
                                   .headless = !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO) ||
                                               bx_args_has(args, "json")};
    enum bx_mode mode;
    if (r == 0 && ret->mode && !bx_mode_parse(bx_str(ret->mode), &mode)) {
        r = bx_fail(err, BX_ERR_INVALID,
                    "--mode must be plan, default, accept-edits, auto or bypass, not \"%.40s\"",
                    ret->mode);
    }
    const char **levels = bx_args_all(args, "yes");
    for (size_t i = 0; levels[i] && r == 0; i++) {
        enum bx_level level;
        if (!bx_level_parse(bx_str(levels[i]), &level) || level < BX_LEVEL_READ_ONLY ||
            level > BX_LEVEL_DANGEROUS) {
            r = bx_fail(err, BX_ERR_INVALID,
                        "--yes takes read_only, write, execute or dangerous, not \"%.40s\"",
                        levels[i]);
        } else {
            ret->yes_levels |= 1u << level;
        }
    }
    bx_free(levels);
    return r;
}

static int open_session(const struct bx_args *args, struct bx_cli_context *c,
                        const struct bx_run_options *o, struct bx_session **ret,
                        struct bx_err *err) {
    const char *id = bx_args_get(args, "session");
    if (id) {
        return bx_session_open(c->store, id, ret, err);
    }
    struct bx_session_header h = {.title = "",
                                  .model = o->model ? o->model : "",
                                  .mode = o->mode ? o->mode : "default",
                                  .root = c->workspace.root,
                                  .kind = "chat"};
    return bx_session_create(c->store, &h, ret, err);
}

static int run(const struct bx_args *args, struct follower *f, const char *prompt,
               const struct bx_run_options *options, struct bx_err *err) {
    int r = bx_agent_recover(f->c->agent, err);
    if (r == 0) {
        r = open_session(args, f->c, options, &f->session, err);
    }
    if (r < 0) {
        return r;
    }
    f->cursor.next_seq = bx_session_last_seq(f->session) + 1;
    struct bx_session_watch watch = {.fn = ring, .user = f};
    bx_session_watch(f->session, &watch);
    if (!learn_mcp(f)) {
        bx_session_unwatch(f->session, &watch);
        fprintf(stderr, "boxagnts: stopped before the run began\n");
        f->code = BX_EXIT_STOPPED;
        return 0;
    }
    r = bx_agent_send(f->c->agent, f->session, prompt, options, NULL, err);
    if (r == 0) {
        r = follow(f, err);
        bx_agent_wait(f->c->agent, bx_session_header(f->session)->id);
    }
    bx_session_unwatch(f->session, &watch);
    if (r == 0 && !f->json) {
        bx_show_end(&f->show, bx_session_header(f->session)->id);
    }
    return r;
}

int bx_cmd_run(const struct bx_args *args) {
    struct bx_err err;
    struct bx_run_options options;
    bx_auto(bx_freep) char *prompt = NULL;
    const char *dir = NULL;
    int r = read_options(args, &options, &err);
    if (r == 0) {
        r = read_prompt(args, &dir, &prompt, &err);
    }
    if (r < 0) {
        return bx_cli_fail(BX_EXIT_USAGE, &err);
    }
    bx_auto(bx_freep) const char **hosts = bx_args_all(args, "allow-host");
    if (bx_cli_check_hosts(hosts, &err) < 0) {
        return bx_cli_fail(BX_EXIT_USAGE, &err);
    }
    options.allow_hosts = hosts;
    struct bx_cli_context c;
    r = bx_cli_context_open(
        args, dir,
        &(struct bx_context_options){
            .store_mode = BX_STORE_OWNER,
            .models = true,
            .offline = bx_args_has(args, "offline"),
            .require_second_wall = bx_args_has(args, "require-second-wall"),
            .allow_bypass = options.mode && strcmp(options.mode, "bypass") == 0},
        &c, &err);
    if (r < 0) {
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    }
    struct follower f = {.c = &c,
                         .bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                         .json = bx_args_has(args, "json"),
                         .code = BX_EXIT_FAILED};
    interrupt_bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    bx_show_init(&f.show);
    struct sigaction action = {.sa_handler = on_interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    r = run(args, &f, prompt, &options, &err);
    if (r < 0) {
        f.code = bx_cli_fail(BX_EXIT_FAILED, &err);
    }
    bx_session_unref(f.session);
    bx_show_deinit(&f.show);
    bx_cli_context_close(&c);
    bx_fd_close(&f.bell);
    return f.code;
}
