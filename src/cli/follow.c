#include "cli/follow.h"

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>

#include "base/cancel.h"
#include "base/file.h"
#include "base/thread.h"
#include "cli/ask.h"
#include "cli/commands.h"

#define MCP_WAIT_MS 10000 /* for servers whose tools are not known yet */

/* The watch rings, this thread reads. */

static atomic_int interrupts;
static atomic_bool told_to_end; /* SIGTERM came */
static int interrupt_bell = -1;

static void on_interrupt(int signum) {
    if (signum == SIGTERM)
        atomic_store(&told_to_end, true);
    if (atomic_fetch_add(&interrupts, 1) > 0) {
        _exit(BX_EXIT_STOPPED); /* the second one does not wait */
    }
    uint64_t one = 1;
    (void)!write(interrupt_bell, &one, sizeof one);
}

static void ring(void *user) {
    struct bx_follow *f = user;
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

bool bx_follow_learn_mcp(struct bx_follow *f) {
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
    static const char *const limits[] = {"max_turns", "repeated_calls", "tokens", "money",
                                         "calls",     "time",           "fuel"};
    for (size_t i = 0; i < BX_ARRAY_LEN(limits); i++) {
        if (bx_str_eqz(reason, limits[i])) {
            return BX_EXIT_LIMIT;
        }
    }
    return bx_str_eqz(reason, "stopped") ? BX_EXIT_STOPPED : BX_EXIT_FAILED;
}

/* Asks on the terminal; the answer goes where the page's would. An answer that does not fit is
 * asked for again. */
static void ask(struct bx_follow *f, const char *session_id, const struct bx_val *event) {
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
        r = bx_agent_answer(f->c->agent, session_id, bx_val_get_z(event, "question"), &answer,
                            &err);
        bx_spoken_deinit(&said);
        if (r < 0) {
            fprintf(stderr, "boxagnts: %s\n", err.msg);
        }
        if (got == BX_ASK_GONE) {
            return; /* nobody is there to ask again */
        }
    }
}

static void take_line(struct bx_follow *f, struct bx_str line) {
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
        ask(f, bx_session_header(f->session)->id, event);
    } else if (bx_str_eqz(type, "executor_question") && !f->json) {
        bx_show_note(&f->show, BX_TONE_PLAIN, "%s asks (%s):", bx_val_get_z(event, "name"),
                     bx_val_get_z(event, "description"));
        ask(f, bx_val_get_z(event, "executor"), bx_val_get(event, "question"));
    } else if (bx_str_eqz(type, "run_end")) {
        f->ended = true;
        f->code = exit_code_of(bx_val_get_str(event, "reason"));
    }
    bx_doc_free(doc);
}

static int drain(struct bx_follow *f, struct bx_err *err) {
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

static int follow(struct bx_follow *f, struct bx_err *err) {
    while (!f->left) {
        int r = drain(f, err);
        if (r < 0 || f->ended) {
            return r;
        }
        struct pollfd p[3] = {{.fd = f->bell, .events = POLLIN},
                              {.fd = interrupt_bell, .events = POLLIN},
                              {.fd = f->typed ? STDIN_FILENO : -1, .events = POLLIN}};
        if (poll(p, 3, -1) < 0) {
            if (errno != EINTR)
                return bx_fail_errno(err, errno, "cannot wait for the run");
            continue; /* a signal: its bell rings */
        }
        uint64_t count;
        if (p[0].revents) {
            (void)!read(f->bell, &count, sizeof count);
        }
        if (p[1].revents) {
            (void)!read(interrupt_bell, &count, sizeof count);
            (void)bx_agent_stop_run(f->c->agent, bx_session_header(f->session)->id, NULL);
        } else if (p[2].revents && !f->typed(f->user)) {
            f->typed = NULL;
        }
    }
    return 0;
}

int bx_follow_run(struct bx_follow *f, struct bx_err *err) {
    f->ended = f->left = false;
    int r = follow(f, err);
    if (!f->left)
        bx_agent_wait(f->c->agent, bx_session_header(f->session)->id);
    atomic_store(&interrupts, 0);
    return r;
}

/* ---- begin and end ---- */

int bx_follow_interrupt_fd(void) {
    return interrupt_bell;
}

bool bx_follow_must_end(void) {
    return atomic_load(&told_to_end);
}

void bx_follow_forget_interrupt(void) {
    uint64_t count;
    (void)!read(interrupt_bell, &count, sizeof count);
    atomic_store(&interrupts, 0);
}

void bx_follow_init(struct bx_follow *f, struct bx_cli_context *c, bool json) {
    *f = (struct bx_follow){.c = c,
                            .bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                            .json = json,
                            .code = BX_EXIT_FAILED};
    f->watch = (struct bx_session_watch){.fn = ring, .user = f};
    interrupt_bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    bx_show_init(&f->show);
    struct sigaction action = {.sa_handler = on_interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* The seq of the question that is open, else the one behind the last event. */
static uint64_t begin_at(struct bx_follow *f, struct bx_session *s) {
    uint64_t last = bx_session_last_seq(s);
    char question[37];
    bx_agent_open_question(f->c->agent, bx_session_header(s)->id, question);
    for (uint64_t seq = *question ? last : 0; seq > 0; seq--) {
        bx_auto(bx_buf_deinit) struct bx_buf line = BX_BUF_INIT(64 * BX_MIB);
        bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
        struct bx_cursor cursor = {.next_seq = seq, .next_delta = UINT64_MAX};
        if (bx_session_read(s, &cursor, 1, &line, NULL) > 0 &&
            bx_doc_parse(bx_str_trim(bx_buf_str(&line)), NULL, &doc, NULL) == 0 &&
            bx_str_eqz(bx_val_get_str(bx_doc_root(doc), "type"), "question") &&
            bx_str_eqz(bx_val_get_str(bx_doc_root(doc), "question"), question))
            return seq;
    }
    return last + 1;
}

void bx_follow_session(struct bx_follow *f, struct bx_session *take_session) {
    if (f->session)
        bx_session_unwatch(f->session, &f->watch);
    bx_session_unref(f->session);
    f->session = take_session;
    f->cursor = (struct bx_cursor){.next_seq = 0};
    if (take_session) {
        f->cursor.next_seq = begin_at(f, take_session);
        bx_session_watch(take_session, &f->watch);
    }
}

void bx_follow_deinit(struct bx_follow *f) {
    bx_follow_session(f, NULL);
    bx_show_deinit(&f->show);
    bx_fd_close(&f->bell);
}
