/* run: one message to the agent, its answer on stdout, what it does on stderr. */
#include "agent/slash.h"
#include "cli/commands.h"
#include "cli/follow.h"

/* Operands are [DIR] [PROMPT]; one alone is the prompt when a workspace is named, or when it is no
 * folder. */
static int read_prompt(const struct bx_args *args, const char **ret_dir, char **ret_prompt,
                       struct bx_err *err) {
    const char *dir = NULL, *prompt = NULL;
    if (args->operands.n == 2) {
        dir = args->operands.p[0];
        prompt = args->operands.p[1];
    } else if (args->operands.n == 1) {
        prompt = args->operands.p[0];
        if (!bx_args_has(args, "workspace-dir") && !isatty(STDIN_FILENO) &&
            (strcmp(prompt, ".") == 0 || strchr(prompt, '/')) && access(prompt, X_OK) == 0) {
            dir = prompt;
            prompt = NULL;
        }
    }
    if (prompt) {
        *ret_prompt = bx_strdup(prompt);
    } else {
        if (isatty(STDIN_FILENO)) {
            return bx_fail(
                err, BX_ERR_INVALID,
                "say what to do: boxagnts run \"…\", or give the prompt on standard input");
        }
        struct bx_buf text = BX_BUF_INIT(4 * BX_MIB);
        char piece[16384];
        ssize_t got;
        while ((got = read(STDIN_FILENO, piece, sizeof piece)) > 0 &&
               bx_buf_add(&text, piece, (size_t)got) == 0) {
        }
        if (bx_buf_failed(&text)) {
            bx_buf_deinit(&text);
            return bx_fail(err, BX_ERR_LIMIT, "the prompt on standard input is larger than 4 MiB");
        }
        *ret_prompt = bx_buf_steal(&text);
    }
    if (bx_str_trim(bx_str(*ret_prompt)).n == 0) {
        bx_free(bx_steal(ret_prompt));
        return bx_fail(err, BX_ERR_INVALID, "the prompt is empty: boxagnts run \"…\"");
    }
    *ret_dir = dir;
    return 0;
}

/* The flags as the object that the settings have, so that both are read, and refused, by the same
 * code. */
static int read_budget(const struct bx_args *args, int64_t caps[static BX_BUDGET_COUNT],
                       struct bx_err *err) {
    static const char *const flags[BX_BUDGET_COUNT] = {
        [BX_BUDGET_TOKENS] = "max-tokens", [BX_BUDGET_MONEY] = "max-cost",
        [BX_BUDGET_CALLS] = "max-calls",   [BX_BUDGET_TIME_MS] = "max-time",
        [BX_BUDGET_FUEL] = "max-fuel",
    };
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(64 * BX_KIB);
    bx_auto(bx_doc_freep) struct bx_doc *number = NULL, *doc = NULL;
    struct bx_jw w;
    bx_jw_init(&w, &text);
    bx_jw_obj(&w);
    for (unsigned kind = 0; kind < BX_BUDGET_COUNT; kind++) {
        const char *value = flags[kind] ? bx_args_get(args, flags[kind]) : NULL;
        if (!value)
            continue;
        bx_doc_freep(&number);
        number = NULL;
        bool is_number = bx_doc_parse(bx_str(value), NULL, &number, NULL) == 0 &&
                         bx_val_real(bx_doc_root(number), -1) >= 0;
        bx_jw_key(&w, bx_budget_name((enum bx_budget_kind)kind));
        if (is_number)
            bx_jw_val(&w, bx_doc_root(number));
        else
            bx_jw_z(&w, value);
    }
    bx_jw_end(&w);
    int r = bx_doc_parse(bx_buf_str(&text), NULL, &doc, err);
    return r < 0 ? r : bx_budget_read(bx_doc_root(doc), caps, err);
}

int bx_cli_run_options(const struct bx_args *args, struct bx_run_options *ret, struct bx_err *err) {
    uint64_t max_turns;
    int r = bx_args_number(args, "max-turns", 1, 10000, 0, &max_turns, err);
    *ret = (struct bx_run_options){.max_turns = (unsigned)max_turns,
                                   .model = bx_args_get(args, "model"),
                                   .mode = bx_args_get(args, "mode"),
                                   .headless = !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO) ||
                                               bx_args_has(args, "json")};
    if (r == 0) {
        r = read_budget(args, ret->budget, err);
    }
    enum bx_mode mode;
    if (r == 0 && ret->mode && !bx_mode_parse(bx_str(ret->mode), &mode)) {
        r = bx_fail(err, BX_ERR_INVALID,
                    "--mode must be plan, default, accept-edits, auto or bypass, not \"%.40s\"",
                    ret->mode);
    }
    const char **levels = bx_args_all(args, "yes");
    for (size_t i = 0; levels[i] && r == 0; i++) {
        enum bx_level level;
        if (!bx_level_parse(bx_str(levels[i]), &level) || level < BX_LEVEL_READ_ONLY ||
            level > BX_LEVEL_DANGEROUS) {
            r = bx_fail(err, BX_ERR_INVALID,
                        "--yes takes read_only, write, execute or dangerous, not \"%.40s\"",
                        levels[i]);
        } else {
            ret->yes_levels |= 1u << level;
        }
    }
    bx_free(levels);
    return r;
}

/* The switch is the session's: it stays on for its later runs. */
static int make_planner(struct bx_session *s, struct bx_err *err) {
    return bx_session_planner(s) ? 0
                                 : bx_session_append(s, "planner", BX_STR_LIT("{\"planner\":true}"),
                                                     BX_BATCHED, NULL, err);
}

static int open_session(const struct bx_args *args, struct bx_cli_context *c,
                        const struct bx_run_options *o, struct bx_session **ret,
                        struct bx_err *err) {
    const char *id = bx_args_get(args, "session");
    if (id) {
        return bx_session_open(c->store, id, ret, err);
    }
    struct bx_session_header h = {.title = "",
                                  .model = o->model ? o->model : "",
                                  .mode = o->mode ? o->mode : "default",
                                  .root = c->workspace.root,
                                  .kind = "chat"};
    return bx_session_create(c->store, &h, ret, err);
}

/* A message, or a command as in the message box: "/code-review src" starts a skill, "//x" says
 * "/x". */
static int begin(struct bx_follow *f, const char *prompt, const struct bx_run_options *options,
                 bool *ret_runs, struct bx_err *err) {
    struct bx_slash_env env = {.options = options};
    struct bx_slash_result result = {0};
    if (!bx_slash_is(bx_str(prompt))) {
        bx_auto(bx_freep) char *message = bx_str_dup(bx_slash_message(bx_str(prompt)));
        return bx_agent_send(f->c->agent, f->session, message, options, NULL, err);
    }
    int r = bx_agent_slash(f->c->agent, f->session, bx_str(prompt), &env, &result, err);
    *ret_runs = r == 0 && result.kind == BX_SLASH_RUN;
    if (r == 0 && result.text)
        printf("%s\n", result.text);
    bx_slash_result_deinit(&result);
    return r;
}

static int run(const struct bx_args *args, struct bx_follow *f, const char *prompt,
               const struct bx_run_options *options, struct bx_err *err) {
    struct bx_session *session = NULL;
    int r = bx_agent_recover(f->c->agent, false, err);
    if (r == 0)
        r = open_session(args, f->c, options, &session, err);
    if (r == 0 && bx_args_has(args, "planner"))
        r = make_planner(session, err);
    if (r < 0) {
        bx_session_unref(session);
        return r;
    }
    bx_follow_session(f, session);
    if (!bx_follow_learn_mcp(f)) {
        fprintf(stderr, "boxagnts: stopped before the run began\n");
        f->code = BX_EXIT_STOPPED;
        return 0;
    }
    bool runs = true;
    r = begin(f, prompt, options, &runs, err);
    if (r == 0 && runs)
        r = bx_follow_run(f, err);
    if (r == 0 && runs && !f->json)
        bx_show_end(&f->show, bx_session_header(f->session)->id);
    return r;
}

int bx_cmd_run(const struct bx_args *args) {
    struct bx_err err;
    struct bx_run_options options;
    bx_auto(bx_freep) char *prompt = NULL;
    const char *dir = NULL;
    int r = bx_cli_run_options(args, &options, &err);
    if (r == 0) {
        r = read_prompt(args, &dir, &prompt, &err);
    }
    if (r < 0) {
        return bx_cli_fail(BX_EXIT_USAGE, &err);
    }
    bx_auto(bx_freep) const char **hosts = bx_args_all(args, "allow-host");
    if (bx_cli_check_hosts(hosts, &err) < 0) {
        return bx_cli_fail(BX_EXIT_USAGE, &err);
    }
    options.allow_hosts = hosts;
    struct bx_cli_context c;
    r = bx_cli_context_open(
        args, dir,
        &(struct bx_context_options){
            .store_mode = BX_STORE_OWNER,
            .models = true,
            .offline = bx_args_has(args, "offline"),
            .require_second_wall = bx_args_has(args, "require-second-wall"),
            .allow_bypass = options.mode && strcmp(options.mode, "bypass") == 0},
        &c, &err);
    if (r < 0) {
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    }
    struct bx_follow f;
    bx_follow_init(&f, &c, bx_args_has(args, "json"));
    r = run(args, &f, prompt, &options, &err);
    if (r < 0) {
        f.code = bx_cli_fail(BX_EXIT_FAILED, &err);
    }
    bx_follow_deinit(&f);
    bx_cli_context_close(&c);
    return f.code;
}
