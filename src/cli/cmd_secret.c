/* secret set, list, remove: auth.json of the workspace, beside a running server too. A value comes
 * on standard input and is never shown, an argument, or part of a message. */
#include <sys/stat.h>
#include <termios.h>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "json/write.h"

#define VALUE_MAX  (64 * BX_KIB)
#define RECOGNISED 8 /* bytes from which an export knows a value again (store/redact.c) */
#define KEY_OF     "provider."

/* Ours, or what a sign-in keeps: these have their own commands. */
static const char *const reserved[] = {"api_token", "session_key", "install_key"};

static bool is_reserved(struct bx_str name) {
    for (size_t i = 0; i < BX_ARRAY_LEN(reserved); i++)
        if (bx_str_eqz(name, reserved[i]))
            return true;
    return bx_str_starts(name, "mcp.");
}

/* ---- which secret is meant ---- */

struct meaning {
    const char *asked;
    char *name, *provider, *key_env; /* name: in auth.json; the others NULL where it is no key */
};

static void meaning_deinit(struct meaning *m) {
    bx_free(m->name);
    bx_free(m->provider);
    bx_free(m->key_env);
}

/* "openai", "provider.openai" and "OPENAI_API_KEY" are the same key. */
static void match_provider(void *user, const struct bx_provider_info *p) {
    struct meaning *m = user;
    struct bx_str asked = bx_str(m->asked);
    if (bx_str_starts(asked, KEY_OF))
        asked = bx_str_slice(asked, strlen(KEY_OF), asked.n);
    if (m->provider || (!bx_str_eqz(asked, p->id) && (!p->key_env || strcmp(m->asked, p->key_env))))
        return;
    m->provider = bx_strdup(p->id);
    m->key_env = bx_strdup(p->key_env);
    m->name = bx_asprintf(KEY_OF "%s", p->id);
}

static int find_meaning(struct bx_models *models, const char *asked, struct meaning *ret,
                        struct bx_err *err) {
    *ret = (struct meaning){.asked = asked};
    size_t plain =
        strspn(asked, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
    if (!plain || asked[plain] || plain > 64)
        return bx_fail(err, BX_ERR_INVALID,
                       "a secret's name is 1 to 64 letters, digits, dots, dashes and underscores");
    if (is_reserved(bx_str(asked)))
        return bx_fail(err, BX_ERR_INVALID, "\"%s\" is kept by boxagnts itself%s", asked,
                       strncmp(asked, "mcp.", 4) ? "" : ": boxagnts mcp login, mcp logout");
    bx_models_each_provider(models, match_provider, ret);
    if (!ret->name && bx_str_starts(bx_str(asked), KEY_OF))
        return bx_fail(err, BX_ERR_NOTFOUND,
                       "there is no provider \"%s\": boxagnts model list shows them",
                       asked + strlen(KEY_OF));
    if (!ret->name)
        ret->name = bx_strdup(asked);
    return 0;
}

static int open_context(const struct bx_args *args, struct bx_cli_context *ret,
                        struct bx_err *err) {
    int r = bx_cli_context_open(
        args, NULL, &(struct bx_context_options){.store_mode = BX_STORE_READER, .models = true},
        ret, err);
    if (r == 0 && (r = bx_secrets_make_private(ret->store, err)) < 0)
        bx_cli_context_close(ret);
    if (r == 0)
        bx_cli_tell_open_secrets(ret->store);
    return r;
}

/* ---- the value ---- */

/* One line, not shown. Ctrl-C ends it like Enter does, so that the terminal is put back in any
 * case; TCSAFLUSH: what was typed before belongs to somebody else. */
static int ask_value(const char *name, struct bx_buf *out, struct bx_err *err) {
    struct termios was, quiet;
    char line[4096];
    if (tcgetattr(STDIN_FILENO, &was) < 0)
        return bx_fail_errno(err, errno, "the terminal");
    quiet = was;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
    quiet.c_cc[VEOL] = was.c_cc[VINTR];
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) < 0)
        return bx_fail_errno(err, errno, "the terminal");
    fprintf(stderr, "value of %s (it is not shown): ", name);
    ssize_t n = read(STDIN_FILENO, line, sizeof line);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &was);
    fputc('\n', stderr);
    if (n < 0)
        return bx_fail_errno(err, errno, "the terminal");
    bx_buf_add(out, line, (size_t)n);
    bool stopped = n > 0 && out->p[n - 1] == (char)was.c_cc[VINTR];
    return stopped ? bx_fail(err, BX_ERR_CANCELLED, "stopped, nothing was changed") : 0;
}

static int read_value(struct bx_buf *out, struct bx_err *err) {
    char piece[4096];
    ssize_t n = 0;
    while (!bx_buf_failed(out) && (n = read(STDIN_FILENO, piece, sizeof piece)) > 0)
        bx_buf_add(out, piece, (size_t)n);
    return n < 0 ? bx_fail_errno(err, errno, "standard input") : 0;
}

/* A key of a provider goes into a header as it is; others too, most of the time. */
static int check_value(struct bx_str value, bool is_key, const char *asked, struct bx_err *err) {
    if (!value.n)
        return bx_fail(
            err, BX_ERR_INVALID,
            "no value came, nothing was changed; to forget it: boxagnts secret remove %s", asked);
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        if (is_key && (c <= ' ' || c >= 0x7f))
            return bx_fail(err, BX_ERR_INVALID,
                           "a key has no spaces and no line ends: copy it again");
        if (c < ' ' || c == 0x7f)
            return bx_fail(err, BX_ERR_INVALID, "a value is one line without control characters");
    }
    return 0;
}

static int get_value(const struct meaning *m, struct bx_buf *out, struct bx_str *ret,
                     struct bx_err *err) {
    int r = isatty(STDIN_FILENO) ? ask_value(m->asked, out, err) : read_value(out, err);
    if (r < 0)
        return r;
    if (bx_buf_failed(out))
        return bx_fail(err, BX_ERR_LIMIT, "a value is at most %zu bytes", VALUE_MAX);
    *ret = bx_str_trim(bx_buf_str(out));
    return check_value(*ret, m->provider != NULL, m->asked, err);
}

/* ---- the commands ---- */

static int set(struct bx_cli_context *c, const char *asked, struct bx_buf *out,
               struct bx_err *err) {
    bx_auto(meaning_deinit) struct meaning m;
    bx_auto(bx_buf_deinit) struct bx_buf typed = BX_BUF_INIT(VALUE_MAX);
    struct bx_str value;
    int r = find_meaning(c->models, asked, &m, err);
    if (r == 0)
        r = get_value(&m, &typed, &value, err);
    bx_auto(bx_freep) char *z = r == 0 ? bx_str_dup(value) : NULL;
    if (r == 0)
        r = bx_secret_set(c->store, m.name, z, err);
    if (r < 0)
        return r;
    if (value.n < RECOGNISED)
        fprintf(stderr, "boxagnts: so short a value is not recognised in what is exported\n");
    if (m.key_env && getenv(m.key_env) && *getenv(m.key_env))
        fprintf(stderr, "boxagnts: %s is set in the environment and goes before it\n", m.key_env);
    if (m.provider)
        bx_buf_addf(out, "the key of %s is set\n", m.provider);
    else
        bx_buf_addf(
            out, "%s is set: ${secret:%s} stands for it in headers of tools and in MCP servers\n",
            m.name, m.name);
    return 0;
}

static int run_with(const struct bx_args *args,
                    int (*change)(struct bx_cli_context *c, const char *asked, struct bx_buf *out,
                                  struct bx_err *err)) {
    struct bx_cli_context c;
    struct bx_err err;
    struct bx_buf out = BX_BUF_INIT(BX_KIB);
    int r = open_context(args, &c, &err);
    if (r == 0) {
        r = change(&c, args->operands.p[0], &out, &err);
        bx_cli_context_close(&c);
    }
    if (r < 0) {
        bx_buf_deinit(&out);
        return bx_cli_fail(r == BX_ERR_CANCELLED ? BX_EXIT_STOPPED : BX_EXIT_FAILED, &err);
    }
    return bx_cli_print(&out);
}

/* A second operand is taken by the table, so that it is not repeated in the message about it. */
int bx_cmd_secret_set(const struct bx_args *args) {
    struct bx_err err;
    if (args->operands.n > 1) {
        bx_fail(&err, BX_ERR_INVALID,
                "a value is no argument: every user of the machine can see those, and your shell "
                "keeps them; give the name alone, and change a key that was typed here");
        return bx_cli_fail(BX_EXIT_USAGE, &err);
    }
    return run_with(args, set);
}

static int forget(struct bx_cli_context *c, const char *asked, struct bx_buf *out,
                  struct bx_err *err) {
    bx_auto(meaning_deinit) struct meaning m;
    int r = find_meaning(c->models, asked, &m, err);
    bx_auto(bx_freep) char *is = r == 0 ? bx_secret_get(c->store, m.name) : NULL;
    if (r == 0 && !is)
        r = bx_fail(err, BX_ERR_NOTFOUND,
                    "there is no secret \"%s\": boxagnts secret list shows them", asked);
    if (r == 0)
        r = bx_secret_set(c->store, m.name, NULL, err);
    if (r == 0)
        bx_buf_addf(out, "%s is forgotten\n", asked);
    return r;
}

int bx_cmd_secret_remove(const struct bx_args *args) {
    return run_with(args, forget);
}

struct list {
    struct bx_buf *out;
    struct bx_jw *json; /* NULL: for people */
};

static void add_row(struct list *l, struct bx_str name, bool is_key, const char *environment) {
    if (l->json) {
        bx_jw_obj(l->json);
        bx_jw_kstrn(l->json, "name", name);
        bx_jw_kstr(l->json, "of", is_key ? "provider" : "tools");
        bx_jw_kstr(l->json, "environment", environment);
        bx_jw_end(l->json);
        return;
    }
    bx_buf_addf(l->out, "%-20.*s %s%s%s\n", (int)name.n, name.p,
                is_key ? "key of a provider" : "for tools and MCP servers",
                environment ? ", from the environment: " : "", environment ? environment : "");
}

static void list_stored(void *user, struct bx_str name) {
    bool is_key = bx_str_starts(name, KEY_OF);
    if (!is_reserved(name))
        add_row(user, is_key ? bx_str_slice(name, strlen(KEY_OF), name.n) : name, is_key, NULL);
}

static void list_environment(void *user, const struct bx_provider_info *p) {
    const char *value = p->key_env ? getenv(p->key_env) : NULL;
    if (value && *value)
        add_row(user, bx_str(p->id), true, p->key_env);
}

int bx_cmd_secret_list(const struct bx_args *args) {
    struct bx_cli_context c;
    struct bx_err err;
    struct bx_jw w;
    struct bx_buf out = BX_BUF_INIT(4 * BX_MIB);
    bool json = bx_args_has(args, "json");
    struct list list = {.out = &out, .json = json ? &w : NULL};
    int r = open_context(args, &c, &err);
    if (json) {
        bx_jw_init(&w, &out);
        bx_jw_arr(&w);
    }
    if (r == 0) {
        r = bx_secrets_each(c.store, list_stored, &list, &err);
        bx_models_each_provider(c.models, list_environment, &list);
        bx_cli_context_close(&c);
    }
    if (json) {
        bx_jw_end(&w);
        bx_buf_addc(&out, '\n');
    }
    if (r < 0) {
        bx_buf_deinit(&out);
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    }
    if (!out.size)
        bx_buf_addz(&out, "no secrets; boxagnts secret set NAME keeps one\n");
    return bx_cli_print(&out);
}
