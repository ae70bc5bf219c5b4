/* box/bar.h: commands that the guests of one call may not start, however they come to it: by a script, xargs, awk's system().
 *
 * Pure. The patterns come with the grant; why they are there is not known here. In the worker each start of a program is
 * held against them with the arguments that the program would get, so what runs another command (env, timeout, find -exec)
 * needs no look of its own: what it runs is a start, too. What a guest does by itself is none: `find -delete`, a file
 * written by a redirection; of a shell's own commands those that it hands over (bx_bars_env). */
#ifndef BX_BOX_BAR_H
#define BX_BOX_BAR_H

#include "base/base.h"

struct bx_bar {
    const char *pattern; /* of the command and its arguments, one space between; `*` is anything (bx_glob_text) */
    const char *why;     /* what is said of a start that it stops: "the rule no-rm denies `rm *`" */
    const char *rule;    /* whose it is, for the reader of the result: not known to the worker; may be NULL */
};
#define BX_BARS_BYTES_MAX BX_MIB /* of all patterns and reasons of a call */

struct bx_barred {    /* starts that one of them stopped */
    uint32_t bar;     /* its place in the grant */
    uint32_t times;
    char *command;    /* the first of them, at most BX_BARRED_TEXT bytes of UTF-8 */
};
#define BX_BARRED_MAX  16 /* so many bars are told of by a call; the starts are stopped all the same */
#define BX_BARRED_TEXT 200

/* The place of the first that stops this start; `count`: none does. A shell that is started to go on with a part of its own
 * line (its environment says so) is not held against them: it could have run that part itself. */
size_t bx_bars_find(const struct bx_bar *bars, size_t count, const char *const *argv, size_t argc, const char *const *env,
                    size_t env_count);
/* For shells: "BX_BARS=" and the patterns with %XX, a space between, so that they hand over what of their own commands is
 * against one. NULL when there are none, or too many for an environment. */
char *bx_bars_env(const struct bx_bar *bars, size_t count);
#define BX_BARS_ENV "BX_BARS="
char *bx_bars_command(const char *const *argv, size_t argc); /* for bx_barred.command */

/* As bytes for the worker, and back: the texts are views into them. BX_ERR_PROTO. */
size_t bx_bars_bytes(const struct bx_bar *bars, size_t count);
void bx_bars_encode(struct bx_buf *out, const struct bx_bar *bars, size_t count);
int bx_bars_decode(struct bx_str bytes, struct bx_bar **ret, size_t *ret_count, struct bx_err *err);
/* As bytes for the server, and back; a bar that is not below `bars` is BX_ERR_PROTO. */
void bx_barred_encode(struct bx_buf *out, const struct bx_barred *barred, size_t count);
int bx_barred_decode(struct bx_str bytes, size_t bars, struct bx_barred **ret, size_t *ret_count, struct bx_err *err);
void bx_barred_free(struct bx_barred *barred, size_t count);

#endif
