/* cli/follow.h: one session on the terminal: a message goes in, its events are shown as they come, questions are asked and
 * answered, Ctrl-C stops the run. What `run` and `chat` share. One thread, one follower a process (it owns SIGINT). */
#ifndef BX_CLI_FOLLOW_H
#define BX_CLI_FOLLOW_H

#include "cli/context.h"
#include "cli/show.h"

struct bx_follow {
    struct bx_cli_context *c;
    struct bx_session *session; /* the follower's reference; may be replaced between runs (bx_follow_session) */
    struct bx_show show;
    struct bx_cursor cursor;
    struct bx_session_watch watch;
    int bell;     /* eventfd: the session has something new */
    bool json;    /* events as they are, one a line */
    bool (*typed)(void *user); /* there is something on standard input while a run goes on; false: no more comes. Or NULL */
    void *user;
    bool left;    /* by `typed`: another session is followed from here on, the run goes on without */
    bool ended;
    int code;     /* exit code of the last run */
};
/* Takes SIGINT and SIGTERM from here on: the first stops the run, a second one ends the program at once. */
void bx_follow_init(struct bx_follow *f, struct bx_cli_context *c, bool json);
void bx_follow_deinit(struct bx_follow *f);
/* From now on this session, from its end; a question that is open in it is asked again. */
void bx_follow_session(struct bx_follow *f, struct bx_session *take_session);
/* Readable while Ctrl-C was pressed and nobody has looked. */
int bx_follow_interrupt_fd(void);
void bx_follow_forget_interrupt(void);
bool bx_follow_must_end(void); /* SIGTERM came: not only the run shall end */
/* MCP servers whose tools are not known yet; false: Ctrl-C came first. */
bool bx_follow_learn_mcp(struct bx_follow *f);
/* Until the run that goes on has ended, f->code says how; or it was left. */
int bx_follow_run(struct bx_follow *f, struct bx_err *err);

/* What the command line says of a run (cmd_run.c); views into args. */
int bx_cli_run_options(const struct bx_args *args, struct bx_run_options *ret, struct bx_err *err);

#endif
