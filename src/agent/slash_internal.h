/* agent/slash_internal.h: one command of agent/slash.h, and the files that have them. */
#ifndef BX_AGENT_SLASH_INTERNAL_H
#define BX_AGENT_SLASH_INTERNAL_H

#include "agent/internal.h"
#include "agent/slash.h"

#define BX_SLASH_TEXT_MAX (256 * BX_KIB)

struct bx_slash {
    struct bx_agent *agent;
    struct bx_session *session;
    const struct bx_slash_env *env;
    const struct bx_slash_command *command;
    struct bx_str text, args; /* trimmed; text: all that was typed */
    struct bx_slash_result *ret;
    struct bx_buf out;  /* becomes ret->text */
};
struct bx_slash_command {
    const char *name, *args, *description;
    int (*run)(struct bx_slash *s, struct bx_err *err);
};
extern const struct bx_slash_command bx_slash_commands[];
extern const size_t bx_slash_command_count;

/* As what the user says (bx_agent_say): the result is a run, or it waits. */
int bx_slash_say(struct bx_slash *s, const char *text, struct bx_run_options options, struct bx_err *err);
void bx_slash_open(struct bx_slash *s, const char *what);
/* An event of one text member, named as its type: title, mode, model. */
int bx_slash_set(struct bx_slash *s, const char *member, const char *value, struct bx_err *err);
int bx_slash_wrong(struct bx_slash *s, struct bx_err *err); /* what the command takes */

/* slash_show.c: what only shows something */
int bx_slash_help(struct bx_slash *s, struct bx_err *err);
int bx_slash_context(struct bx_slash *s, struct bx_err *err);
int bx_slash_memory(struct bx_slash *s, struct bx_err *err);
int bx_slash_cost(struct bx_slash *s, struct bx_err *err);
int bx_slash_agents(struct bx_slash *s, struct bx_err *err);
int bx_slash_skills(struct bx_slash *s, struct bx_err *err);
int bx_slash_doctor(struct bx_slash *s, struct bx_err *err);
void bx_slash_show_queue(struct bx_slash *s, const struct bx_val *queued);
int bx_slash_show_models(struct bx_slash *s, struct bx_err *err);
int bx_slash_show_permissions(struct bx_slash *s, struct bx_err *err);
int bx_slash_show_sessions(struct bx_slash *s, const char *query, struct bx_err *err);

#endif
