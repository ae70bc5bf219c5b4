/* agent/slash.h: what a line that begins with a slash does: "/compact", "/model smollm2", "/NAME args" of a skill.
 *
 * One implementation for the page, the API and the terminal. Any thread; a command that starts a run returns at once, its
 * events come as those of any run. Commands that only show something never touch the session. None is refused because a run
 * is active: what would start one waits for the next turn, the others do at once what they do. */
#ifndef BX_AGENT_SLASH_H
#define BX_AGENT_SLASH_H

#include "agent/agent.h"

enum bx_slash_kind {
    BX_SLASH_TEXT,    /* text: Markdown to show; nothing is kept */
    BX_SLASH_RUN,     /* a run began: id */
    BX_SLASH_QUEUED,  /* a run is active: it waits for its next turn, as messages do (bx_agent_say): id */
    BX_SLASH_SESSION, /* go on in another session: id */
    BX_SLASH_OPEN     /* what: "model" "permissions" "skills" "agents" "context" "cost" "export" "sessions" "memory": a page has a
                         view of it; text says the same for who has none */
};
const char *bx_slash_kind_name(enum bx_slash_kind kind); /* "text" "run" "queued" "session" "open" */

struct bx_slash_result {
    enum bx_slash_kind kind;
    char *text;      /* or NULL */
    char id[37];
    const char *what; /* static */
};
void bx_slash_result_deinit(struct bx_slash_result *r);

struct bx_slash_env {
    const struct bx_run_options *options; /* of runs that a command starts; may be NULL */
    int (*doctor)(void *user, struct bx_buf *out, struct bx_err *err); /* Markdown; NULL: there is none here */
    void *user;
};

/* Is it a command? "/word" and "/word …" are; "//x" (means "/x", see below), "/a/b" and "/" alone are not. */
bool bx_slash_is(struct bx_str text);
/* The message that a text means: "//x" is "/x", all else is itself. A view. */
struct bx_str bx_slash_message(struct bx_str text);
/* BX_ERR_INVALID: no such command (near ones are named), or its arguments are wrong (what it takes is said). */
int bx_agent_slash(struct bx_agent *a, struct bx_session *session, struct bx_str text, const struct bx_slash_env *env,
                   struct bx_slash_result *ret, struct bx_err *err);
/* Items {"name","args","description","kind":"builtin|skill"} into an array that the caller opened, ours first. */
void bx_slash_list(struct bx_agent *a, struct bx_jw *w);

#endif
