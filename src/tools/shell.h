/* tools/shell.h: the host's side of a tool whose answer is what its programs print ("output": "streams" in the descriptor).
 *
 * The guest (guests/bash) writes to its streams as any program does; they are shown live and kept in the order in which
 * they came. Behind them it says how it ended, marked by a word that is new for each call. The working directory and the
 * exported variables of a session are kept here, on the host, and handed to the next call; no other tool can set them.
 *
 * A call is used by its own thread only; the state is under the session's lock. */
#ifndef BX_TOOLS_SHELL_H
#define BX_TOOLS_SHELL_H

#include "base/vec.h"
#include "box/grant.h"
#include "json/json.h"

struct bx_box_result;
struct bx_tool_ctx;
struct bx_tool_result;

/* What a session remembers of its shell: a member of bx_tool_session. */
struct bx_shell_state {
    char *cwd;     /* a guest path; NULL: it has not moved yet */
    char *exports; /* "NAME=value" with %XX, a space between; NULL: none */
};
#define BX_SHELL_EXPORTS_MAX (64 * BX_KIB)
void bx_shell_state_deinit(struct bx_shell_state *s);

struct bx_shell_call {
    struct bx_tool_ctx *ctx;
    struct bx_grant grant; /* the call's, with the time that the model asks for */
    uint64_t asked_ms;     /* 0: it did not ask */
    char mark[33];
    BX_VEC(char *) env;
    struct bx_buf all;     /* both streams, as they came; without the report */
    struct bx_buf held;    /* of stdout: what may be the beginning of the report, and the report */
};
/* What the guest gets. member: the input member that holds a time limit in milliseconds, or NULL. */
void bx_shell_begin(struct bx_shell_call *c, const struct bx_val *input, const char *timeout_member, struct bx_tool_ctx *ctx);
/* A piece of a stream: shown live. */
void bx_shell_output(struct bx_shell_call *c, int fd, struct bx_str piece);
/* How it ended; remembers the state. */
void bx_shell_result(struct bx_shell_call *c, const struct bx_box_result *r, struct bx_tool_result *ret);
void bx_shell_call_deinit(struct bx_shell_call *c);

#endif
