#ifndef BX_GUEST_GUEST_H
#define BX_GUEST_GUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/json.h"

/*
 * A tool: common/guest.c has main(), which speaks the protocol (one JSON object on stdin, one on
 * stdout, --describe), and calls the one function that each tool defines.
 */
struct bx_answer {
    struct bx_buf content;  /* what the model reads */
    struct bx_buf blocks;   /* instead of content when not empty: a JSON array of blocks */
    struct bx_buf metadata; /* members, for the page and for programs */
    bool is_error;
};

/* Defined by the tool. */
void bx_guest_run(const struct bx_json *input, struct bx_answer *answer);

/* An image that is a program of the shell, too, has a main() of its own and calls this one when it is the tool. */
#ifdef BX_GUEST_MAIN
int BX_GUEST_MAIN(int argc, char **argv);
#else
#define BX_GUEST_MAIN main
#endif

/* Make the answer an error with this sentence (which replaces the content); returns false. */
bool bx_answer_fail(struct bx_answer *answer, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

void bx_answer_meta_string(struct bx_answer *answer, const char *key, const char *text, size_t len);
void bx_answer_meta_int(struct bx_answer *answer, const char *key, long long number);
void bx_answer_meta_bool(struct bx_answer *answer, const char *key, bool is_true);

/*
 * The parameters, each with a default for "not given" (which null is too). False after
 * bx_answer_fail() when the value is of the wrong type or out of range.
 */
bool bx_input_string(const struct bx_json *input, const char *name, const struct bx_json **ret,
                     struct bx_answer *answer);
bool bx_input_int(const struct bx_json *input, const char *name, long long min, long long max,
                  long long *io, struct bx_answer *answer);
bool bx_input_bool(const struct bx_json *input, const char *name, bool *io,
                   struct bx_answer *answer);

/* A string that must be given. */
bool bx_input_required(const struct bx_json *input, const char *name, const struct bx_json **ret,
                       struct bx_answer *answer);

/* A path parameter, normalised (common/path.h), or "." when it is not given and may be left out. */
bool bx_input_path(const struct bx_json *input, const char *name, bool is_required, char **ret,
                   struct bx_answer *answer);

#endif
