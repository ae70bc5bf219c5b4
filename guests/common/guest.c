#include "common/guest.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/path.h"
#include "descriptor.h" // generated from NAME.json by build.sh

static bool write_all(const char *bytes, size_t n) {
    while (n) {
        ssize_t done = write(STDOUT_FILENO, bytes, n);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return false;
        }
        bytes += done;
        n -= (size_t)done;
    }
    return true;
}

static bool read_stdin(struct bx_buf *ret) {
    for (size_t room = 16384;; room *= 2) {
        bx_buf_reserve(ret, room);
        ssize_t n = read(STDIN_FILENO, ret->data + ret->len, room);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            ret->data[ret->len] = '\0';
            return n == 0;
        }
        ret->len += (size_t)n;
        room = room > (1 << 20) ? 1 << 20 : room;
    }
}

static int put_answer(const struct bx_answer *answer) {
    struct bx_buf out = {0};
    bx_buf_add_str(&out, "{\"content\":");
    if (answer->blocks.len && !answer->is_error) {
        bx_buf_add(&out, answer->blocks.data, answer->blocks.len);
    } else {
        bx_json_put_string(&out, answer->content.data, answer->content.len);
    }
    bx_buf_add_fmt(&out, ",\"is_error\":%s,\"metadata\":{", answer->is_error ? "true" : "false");
    bx_buf_add(&out, answer->metadata.data, answer->metadata.len);
    bx_buf_add_str(&out, "}}\n");
    return write_all(out.data, out.len) ? 0 : 1;
}

int BX_GUEST_MAIN(int argc, char **argv) {
    struct bx_answer answer = {0};
    struct bx_buf text = {0};
    if (argc == 2 && strcmp(argv[1], "--describe") == 0) {
        return write_all(bx_descriptor, sizeof bx_descriptor - 1) ? 0 : 1;
    }
#ifdef BX_GUEST_NATIVE // the test build: in the box, "/" is the root and the working directory
    const char *root = getenv("BX_GUEST_ROOT");
    if (!root || chdir(root) != 0) {
        bx_die("BX_GUEST_ROOT must name a folder.");
    }
#endif
    const char *why = "";
    size_t at = 0;
    struct bx_json *input = NULL;
    if (!read_stdin(&text)) {
        bx_answer_fail(&answer, "The input could not be read: %s.", strerror(errno));
    } else if (!(input = bx_json_parse(text.data, text.len, &why, &at))) {
        bx_answer_fail(&answer, "The input is not JSON: %s (byte %zu).", why, at);
    } else if (input->type != BX_JSON_OBJECT) {
        bx_answer_fail(&answer, "The input must be a JSON object with the tool's parameters.");
    } else {
        bx_guest_run(input, &answer);
    }
    return put_answer(&answer);
}

bool bx_answer_fail(struct bx_answer *answer, const char *fmt, ...) {
    char *text = NULL;
    va_list args;
    va_start(args, fmt);
    int len = vasprintf(&text, fmt, args);
    va_end(args);
    bx_buf_reset(&answer->content);
    if (len < 0) {
        bx_die("The tool ran out of memory.");
    }
    bx_buf_add(&answer->content, text, (size_t)len);
    free(text);
    answer->is_error = true;
    return false;
}

static void meta_key(struct bx_answer *answer, const char *key) {
    bx_buf_add_fmt(&answer->metadata, "%s\"%s\":", answer->metadata.len ? "," : "", key);
}

void bx_answer_meta_string(struct bx_answer *answer, const char *key, const char *text,
                           size_t len) {
    meta_key(answer, key);
    bx_json_put_string(&answer->metadata, text, len);
}

void bx_answer_meta_int(struct bx_answer *answer, const char *key, long long number) {
    meta_key(answer, key);
    bx_buf_add_fmt(&answer->metadata, "%lld", number);
}

void bx_answer_meta_bool(struct bx_answer *answer, const char *key, bool is_true) {
    meta_key(answer, key);
    bx_buf_add_str(&answer->metadata, is_true ? "true" : "false");
}

static const struct bx_json *given(const struct bx_json *input, const char *name) {
    const struct bx_json *value = bx_json_get(input, name);
    return value && value->type != BX_JSON_NULL ? value : NULL;
}

bool bx_input_string(const struct bx_json *input, const char *name, const struct bx_json **ret,
                     struct bx_answer *answer) {
    *ret = given(input, name);
    if (*ret && (*ret)->type != BX_JSON_STRING) {
        return bx_answer_fail(answer, "%s must be a string.", name);
    }
    return true;
}

bool bx_input_required(const struct bx_json *input, const char *name, const struct bx_json **ret,
                       struct bx_answer *answer) {
    if (!bx_input_string(input, name, ret, answer)) {
        return false;
    }
    return *ret || bx_answer_fail(answer, "%s is missing: give it as a string.", name);
}

bool bx_input_int(const struct bx_json *input, const char *name, long long min, long long max,
                  long long *io, struct bx_answer *answer) {
    const struct bx_json *value = given(input, name);
    if (!value) {
        return true;
    }
    if (!bx_json_int(value, io)) {
        return bx_answer_fail(answer, "%s must be a whole number, at most 2^53.", name);
    }
    if (*io < min) {
        return bx_answer_fail(answer, "%s must be at least %lld; it is %lld.", name, min, *io);
    }
    if (*io > max) {
        *io = max;
    }
    return true;
}

bool bx_input_bool(const struct bx_json *input, const char *name, bool *io,
                   struct bx_answer *answer) {
    const struct bx_json *value = given(input, name);
    if (value && value->type != BX_JSON_TRUE && value->type != BX_JSON_FALSE) {
        return bx_answer_fail(answer, "%s must be true or false.", name);
    }
    if (value) {
        *io = value->type == BX_JSON_TRUE;
    }
    return true;
}

bool bx_input_path(const struct bx_json *input, const char *name, bool is_required, char **ret,
                   struct bx_answer *answer) {
    const struct bx_json *value = NULL;
    if (!(is_required ? bx_input_required(input, name, &value, answer)
                      : bx_input_string(input, name, &value, answer))) {
        return false;
    }
    if (is_required && !value->len) {
        return bx_answer_fail(answer, "%s is empty: give the path of a file.", name);
    }
    const char *why = NULL;
    *ret = bx_path_parse(value ? value->text : ".", value ? value->len : 1, &why);
    return *ret || bx_answer_fail(answer, "%s %s.", name, why);
}
