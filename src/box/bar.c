#include "box/bar.h"

#include "base/glob.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "box/protocol.h"

#define BARS_ENV_MAX (256 * BX_KIB)

static bool has(const char *const *env, size_t count, const char *name) {
    size_t n = strlen(name);
    for (size_t i = 0; i < count; i++) {
        if (strncmp(env[i], name, n) == 0) {
            return true;
        }
    }
    return false;
}

/* guests/bash/spawn.c: a stage of a pipeline that is not a program, and what puts back input that
 * was read ahead. Who forges this gets no more than `( … )` in a line gives. */
static bool goes_on(const char *const *argv, size_t argc, const char *const *env, size_t count) {
    return strcmp(argv[0], "bash") == 0 &&
           ((argc == 3 && strcmp(argv[1], "-c") == 0 && has(env, count, "BX_STATE=")) ||
            (argc == 1 && has(env, count, "BX_FEED=")));
}

/* A script is started as its interpreter: the place of its own name behind a shell's; 0: none. */
static size_t script_at(const char *const *argv, size_t argc) {
    if (strcmp(argv[0], "bash") != 0 && strcmp(argv[0], "sh") != 0) {
        return 0;
    }
    for (size_t i = 1; i < argc; i++) {
        const char *a = argv[i];
        if (a[0] != '-' && a[0] != '+') {
            return i;
        }
        if (a[0] == '-' && a[1] != '-' && strchr(a, 'c')) {
            return 0;
        }
        i += strcmp(a + 1, "o") == 0 || strcmp(a + 1, "O") == 0;
    }
    return 0;
}

static void join(struct bx_buf *out, const char *const *argv, size_t argc) {
    for (size_t i = 0; i < argc; i++) {
        bx_buf_addz(out, i ? " " : "");
        bx_buf_addz(out, argv[i]);
    }
}

/* A program is started by its name alone: "/bin/rm *" is "rm *" here. */
static const char *without_folder(const char *pattern) {
    const char *name = pattern;
    for (const char *p = pattern; *p && *p != ' '; p++) {
        name = *p == '/' && p[1] && p[1] != ' ' && p[1] != '*' ? p + 1 : name;
    }
    return name;
}

size_t bx_bars_find(const struct bx_bar *bars, size_t count, const char *const *argv, size_t argc,
                    const char *const *env, size_t env_count) {
    if (count == 0 || goes_on(argv, argc, env, env_count)) {
        return count;
    }
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(SIZE_MAX / 2);
    join(&text, argv, argc);
    struct bx_str whole = bx_buf_str(&text), script = {0};
    size_t at = script_at(argv, argc);
    if (at > 0) {
        size_t skip = 0;
        for (size_t i = 0; i < at; i++) {
            skip += strlen(argv[i]) + 1;
        }
        script = bx_str_slice(whole, skip, whole.n);
    }
    for (size_t i = 0; i < count; i++) {
        if (bx_glob_text(bars[i].pattern, whole) ||
            bx_glob_text(without_folder(bars[i].pattern), whole) ||
            (at > 0 && bx_glob_text(bars[i].pattern, script))) {
            return i;
        }
    }
    return count;
}

char *bx_bars_env(const struct bx_bar *bars, size_t count) {
    struct bx_buf out = BX_BUF_INIT(BARS_ENV_MAX);
    bx_buf_addz(&out, BX_BARS_ENV);
    for (size_t i = 0; i < count; i++) {
        bx_buf_addz(&out, i ? " " : "");
        for (const unsigned char *c = (const unsigned char *)bars[i].pattern; *c; c++) {
            if (*c <= ' ' || *c == '%' || *c >= 0x7f) {
                bx_buf_addf(&out, "%%%02X", *c);
            } else {
                bx_buf_addc(&out, (char)*c);
            }
        }
    }
    if (count > 0 && !bx_buf_failed(&out)) {
        return bx_buf_steal(&out);
    }
    bx_buf_deinit(&out);
    return NULL;
}

char *bx_bars_command(const char *const *argv, size_t argc) {
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(SIZE_MAX / 2);
    struct bx_buf clean = BX_BUF_INIT(SIZE_MAX / 2);
    join(&text, argv, argc);
    bx_utf8_add_clean(&clean, bx_str_slice(bx_buf_str(&text), 0, BX_BARRED_TEXT));
    struct bx_str s = bx_buf_str(&clean);
    char *command = bx_str_dup(bx_str_slice(s, 0, bx_utf8_cut(s, BX_BARRED_TEXT)));
    bx_buf_deinit(&clean);
    return command;
}

/* Each text with its NUL, so that it can be used where it lies. */
static void put_text(struct bx_buf *out, const char *text) {
    bx_put_str(out, bx_str_n(text, strlen(text) + 1));
}

static const char *read_text(struct bx_reader *r) {
    struct bx_str s = bx_read_str(r);
    r->failed |= s.n == 0 || memchr(s.p, '\0', s.n) != s.p + s.n - 1;
    return r->failed ? NULL : s.p;
}

size_t bx_bars_bytes(const struct bx_bar *bars, size_t count) {
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        n += 2 * (sizeof(uint32_t) + 1) + strlen(bars[i].pattern) + strlen(bars[i].why);
    }
    return n;
}

void bx_bars_encode(struct bx_buf *out, const struct bx_bar *bars, size_t count) {
    for (size_t i = 0; i < count; i++) {
        put_text(out, bars[i].pattern);
        put_text(out, bars[i].why);
    }
}

int bx_bars_decode(struct bx_str bytes, struct bx_bar **ret, size_t *ret_count,
                   struct bx_err *err) {
    struct bx_reader r = bx_reader(bytes);
    BX_VEC(struct bx_bar) bars = {0};
    while (r.left.n > 0 && !r.failed) {
        struct bx_bar bar = {.pattern = read_text(&r)};
        bar.why = read_text(&r);
        bx_vec_push(&bars, bar);
    }
    *ret = bars.p;
    *ret_count = bars.n;
    if (r.failed) {
        bx_vec_free(&bars);
        *ret = NULL;
        *ret_count = 0;
    }
    return bx_read_end(&r, err);
}

void bx_barred_encode(struct bx_buf *out, const struct bx_barred *barred, size_t count) {
    for (size_t i = 0; i < count; i++) {
        bx_put_u32(out, barred[i].bar);
        bx_put_u32(out, barred[i].times);
        bx_put_str(out, bx_str(barred[i].command));
    }
}

int bx_barred_decode(struct bx_str bytes, size_t bars, struct bx_barred **ret, size_t *ret_count,
                     struct bx_err *err) {
    struct bx_reader r = bx_reader(bytes);
    BX_VEC(struct bx_barred) all = {0};
    bool good = true;
    *ret = NULL;
    *ret_count = 0;
    while (r.left.n > 0 && !r.failed && good) {
        struct bx_barred one = {.bar = bx_read_u32(&r), .times = bx_read_u32(&r)};
        struct bx_str command = bx_read_str(&r);
        good = one.bar < bars && one.times > 0 && all.n < BX_BARRED_MAX &&
               command.n <= BX_BARRED_TEXT && bx_utf8_valid(command) &&
               !memchr(command.p ? command.p : "", 0, command.n);
        one.command = bx_str_dup(command);
        bx_vec_push(&all, one);
    }
    if (!good || r.failed) {
        bx_barred_free(all.p, all.n);
        return bx_fail(err, BX_ERR_PROTO, "box protocol: starts that cannot be");
    }
    *ret = all.p;
    *ret_count = all.n;
    return 0;
}

void bx_barred_free(struct bx_barred *barred, size_t count) {
    for (size_t i = 0; i < count; i++) {
        bx_free(barred[i].command);
    }
    bx_free(barred);
}
