/* skill list, show, check, add, remove, pack, new, trust: works beside a running server, which sees
 * what has changed. */
#include <limits.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/path.h"
#include "base/utf8.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "cli/skill_source.h"
#include "skills/archive.h"
#include "skills/check.h"
#include "skills/expand.h"
#include "skills/front.h"
#include "skills/own.h"
#include "skills/write.h"
#include "tools/skill_tools.h"

#define OUT_MAX (32 * BX_MIB)

static int open_context(const struct bx_args *args, struct bx_cli_context *ret,
                        struct bx_err *err) {
    return bx_cli_context_open(
        args, NULL, &(struct bx_context_options){.store_mode = BX_STORE_READER}, ret, err);
}

static struct bx_skills *all_skills(struct bx_cli_context *c) {
    return bx_registry_skills(c->registry, c->workspace.root);
}

/* What a stranger wrote goes to a terminal: no control characters. */
static void add_plain(struct bx_buf *out, const char *text, size_t max) {
    size_t n = strlen(text), cut = n > max ? bx_utf8_cut(bx_str(text), max) : n;
    for (size_t i = 0; i < cut; i++)
        if ((unsigned char)text[i] >= ' ' && text[i] != 0x7f)
            bx_buf_addc(out, text[i]);
    if (cut < n)
        bx_buf_addz(out, "…");
}

static void add_line(struct bx_buf *out, const char *before, const char *text) {
    bx_buf_addz(out, before);
    add_plain(out, text, 1000);
    bx_buf_addc(out, '\n');
}

/* ---- list ---- */

static void list_one(const struct bx_skill *s, const struct bx_skills *all, struct bx_buf *out) {
    bx_auto(bx_freep) char *why = bx_skill_why(s, all);
    bx_buf_addf(out, "%-24s %-9s %-9s ", s->name, bx_skill_source_name(s->source),
                bx_skill_state(s));
    add_plain(out, why ? why : s->description, 160);
    bx_buf_addc(out, '\n');
    if (s->warning && !why) {
        bx_buf_addz(out, "    warning: ");
        add_plain(out, s->warning, 400);
        bx_buf_addc(out, '\n');
    }
    if (why && s->untrusted)
        bx_buf_addf(out, "    boxagnts skill show %s, then boxagnts skill trust %s\n", s->name,
                    s->name);
}

int bx_cmd_skill_list(const struct bx_args *args) {
    struct bx_cli_context c;
    struct bx_err err;
    if (open_context(args, &c, &err) < 0)
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    struct bx_buf out = BX_BUF_INIT(OUT_MAX);
    bx_auto(bx_skills_freep) struct bx_skills *all = all_skills(&c);
    bool json = bx_args_has(args, "json");
    struct bx_jw w;
    if (json) {
        bx_jw_init(&w, &out);
        bx_jw_arr(&w);
    }
    for (size_t i = 0; i < all->n; i++) {
        if (!json) {
            list_one(&all->items[i], all, &out);
            continue;
        }
        bx_jw_obj(&w);
        bx_skill_write(&w, &all->items[i], all, NULL);
        bx_jw_end(&w);
    }
    if (json) {
        bx_jw_end(&w);
        bx_buf_addc(&out, '\n');
    } else if (all->cut) {
        bx_buf_addz(&out, "There are more folders than the 2,000 that are looked at.\n");
    }
    bx_cli_context_close(&c);
    return bx_cli_print(&out);
}

/* ---- show ---- */

static int show(const struct bx_skills *all, const char *name, struct bx_buf *out,
                struct bx_err *err) {
    const struct bx_skill *s = bx_skills_get(all, bx_str(name));
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(2 * BX_MIB);
    char *names[200];
    if (!s)
        return bx_skills_missing(all, bx_str(name), err);
    int r = bx_skill_text(s, &text, err);
    if (r < 0)
        return r;
    bx_auto(bx_freep) char *path = bx_skill_path(s);
    bx_auto(bx_freep) char *why = bx_skill_why(s, all);
    add_plain(out, path, PATH_MAX);
    bx_buf_addf(out, " (%s, %s%s", bx_skill_source_name(s->source), bx_skill_state(s),
                why ? ": " : "");
    add_plain(out, why ? why : "", 600);
    bx_buf_addz(out, ")\n");
    size_t n = bx_skill_files(s, names, BX_ARRAY_LEN(names));
    for (size_t i = 0; i < n; i++) {
        bx_buf_addz(out, i ? ", " : "beside it: ");
        add_plain(out, names[i], 200);
        bx_free(names[i]);
    }
    bx_buf_addz(out, n ? "\n\n" : "\n");
    for (size_t i = 0; i < text.size; i++) /* lines stay lines, nothing steers the terminal */
        if ((unsigned char)text.p[i] >= ' ' || text.p[i] == '\n' || text.p[i] == '\t')
            bx_buf_addc(out, text.p[i]);
    if (out->size && out->p[out->size - 1] != '\n')
        bx_buf_addc(out, '\n');
    return 0;
}

int bx_cmd_skill_show(const struct bx_args *args) {
    struct bx_cli_context c;
    struct bx_err err;
    if (open_context(args, &c, &err) < 0)
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    struct bx_buf out = BX_BUF_INIT(OUT_MAX);
    bx_auto(bx_skills_freep) struct bx_skills *all = all_skills(&c);
    int r = show(all, args->operands.p[0], &out, &err);
    bx_cli_context_close(&c);
    if (r < 0) {
        bx_buf_deinit(&out);
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    }
    return bx_cli_print(&out);
}

/* ---- check ---- */

/* What names a skill on the command line: one that is known, a folder, a SKILL.md. */
static struct bx_skills *named(struct bx_skills *all, const char *what, const struct bx_skill **ret,
                               struct bx_err *err) {
    bool is_path = strchr(what, '/') || bx_file_exists(what);
    bx_auto(bx_freep) char *path = bx_path_absolute(what), *above = bx_path_dir(path);
    if (!is_path) {
        *ret = bx_skills_get(all, bx_str(what));
        if (!*ret)
            bx_skills_missing(all, bx_str(what), err);
        return NULL;
    }
    struct bx_skills *found =
        bx_skills_read(strcmp(bx_path_base(path), BX_SKILL_FILE) == 0 ? above : path);
    *ret = found->n ? &found->items[0] : NULL;
    if (!*ret)
        bx_fail(err, BX_ERR_NOTFOUND, "there is no SKILL.md in %s", what);
    return found;
}

static int check(struct bx_cli_context *c, struct bx_skills *all, const char *what,
                 struct bx_buf *out, bool *ret_fine, struct bx_err *err) {
    const struct bx_skill *s = NULL;
    bx_auto(bx_skills_freep) struct bx_skills *found = named(all, what, &s, err);
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(2 * BX_MIB),
                                         odd = BX_BUF_INIT(64 * BX_KIB);
    char digest[BX_SHA256_HEX + 1];
    if (!s)
        return err->code;
    int r = bx_skill_text(s, &text, err);
    struct bx_skill_check result;
    if (r < 0)
        return r;
    bx_skill_check(bx_buf_str(&text), bx_path_base(s->folder), all, &result);
    bx_skill_check_tools(c->registry, &result.meta, &odd);
    const char *problem = result.problem ? result.problem : s->problem;
    struct bx_err files = {0};
    if (!problem && bx_skill_digest(s, digest, &files))
        problem = files.msg;
    *ret_fine = !problem;
    add_plain(out, result.name, 100);
    if (problem)
        add_line(out, " cannot be used: ", problem);
    else
        bx_buf_addf(out, " can be used (%zu bytes, digest %.16s)\n", text.size, digest);
    for (size_t i = 0; i < result.warnings.n; i++)
        add_line(out, "warning: ", result.warnings.p[i]);
    if (odd.size)
        add_line(out, "warning: ", bx_buf_z(&odd));
    bx_skill_check_deinit(&result);
    return 0;
}

int bx_cmd_skill_check(const struct bx_args *args) {
    struct bx_cli_context c;
    struct bx_err err = {0};
    bool fine = false;
    if (open_context(args, &c, &err) < 0)
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    struct bx_buf out = BX_BUF_INIT(OUT_MAX);
    bx_auto(bx_skills_freep) struct bx_skills *all = all_skills(&c);
    int r = check(&c, all, args->operands.p[0], &out, &fine, &err);
    bx_cli_context_close(&c);
    if (r < 0) {
        bx_buf_deinit(&out);
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    }
    int printed = bx_cli_print(&out);
    return fine ? printed : BX_EXIT_FAILED;
}

/* ---- add, remove, trust ---- */

static bool wants_to_replace(const struct bx_err *problem) {
    char line[16] = "";
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return false;
    fprintf(stderr, "%s. Replace it? [y/N] ", problem->msg);
    return fgets(line, sizeof line, stdin) && (line[0] == 'y' || line[0] == 'Y');
}

static char *place_of(const struct bx_args *args, struct bx_cli_context *c) {
    return bx_args_has(args, "user") ? bx_xdg_path("XDG_CONFIG_HOME", ".config", "skills")
                                     : bx_path_join(c->workspace.state, "skills");
}

static int add(const struct bx_args *args, struct bx_cli_context *c, struct bx_err *err) {
    bx_auto(bx_freep) char *into = place_of(args, c);
    bx_auto(bx_skill_source_deinit) struct bx_skill_source_dir source = {0};
    char name[65], digest[BX_SHA256_HEX + 1];
    bool same = false;
    int r = bx_skill_source_open(args->operands.p[0], &source, err);
    struct bx_skill_adding a = {.state = c->workspace.state,
                                .into = into,
                                .from = source.from,
                                .folder = source.folder,
                                .replace = bx_args_has(args, "replace")};
    if (r == 0)
        r = bx_skill_add(&a, name, digest, &same, err);
    if (r == BX_ERR_EXISTS && !a.replace) {
        if (!wants_to_replace(err))
            return bx_fail(err, r,
                           "the skill %s is there already and differs: look at both, then add it "
                           "with --replace",
                           name);
        a.replace = true;
        r = bx_skill_add(&a, name, digest, &same, err);
    }
    if (r == 0)
        fprintf(stderr, "%s %s (digest %.16s)\n", name,
                same ? "is there already, just so" : "was added", digest);
    return r;
}

static int with_context(const struct bx_args *args,
                        int (*fn)(const struct bx_args *args, struct bx_cli_context *c,
                                  struct bx_err *err)) {
    struct bx_cli_context c;
    struct bx_err err = {0};
    if (open_context(args, &c, &err) < 0)
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    int r = fn(args, &c, &err);
    bx_cli_context_close(&c);
    return r < 0 ? bx_cli_fail(BX_EXIT_FAILED, &err) : BX_EXIT_OK;
}

int bx_cmd_skill_add(const struct bx_args *args) {
    return with_context(args, add);
}

static int remove_one(const struct bx_args *args, struct bx_cli_context *c, struct bx_err *err) {
    bx_auto(bx_skills_freep) struct bx_skills *all = all_skills(c);
    return bx_skill_remove(c->workspace.state, all, args->operands.p[0], err);
}

int bx_cmd_skill_remove(const struct bx_args *args) {
    return with_context(args, remove_one);
}

static int trust(const struct bx_args *args, struct bx_cli_context *c, struct bx_err *err) {
    bx_auto(bx_skills_freep) struct bx_skills *all = all_skills(c);
    return bx_skill_say_yes(c->workspace.state, all, args->operands.p[0], NULL, err);
}

int bx_cmd_skill_trust(const struct bx_args *args) {
    return with_context(args, trust);
}

/* ---- pack, new ---- */

static int pack(const struct bx_args *args, struct bx_cli_context *c, struct bx_err *err) {
    bx_auto(bx_skills_freep) struct bx_skills *all = all_skills(c);
    const struct bx_skill *s = NULL;
    bx_auto(bx_skills_freep) struct bx_skills *found = named(all, args->operands.p[0], &s, err);
    bx_auto(bx_buf_deinit) struct bx_buf bytes = BX_BUF_INIT(BX_ARCHIVE_MAX);
    enum bx_archive_kind kind;
    char digest[BX_SHA256_HEX + 1];
    if (!s)
        return err->code;
    if (s->problem)
        return bx_fail(err, BX_ERR_INVALID, "the skill %s is broken: %.350s", s->name, s->problem);
    bx_auto(bx_freep) char *name = bx_args_get(args, "out") ? bx_strdup(bx_args_get(args, "out"))
                                                            : bx_asprintf("%s.zip", s->name);
    if (!bx_archive_kind_of(name, &kind))
        return bx_fail(err, BX_ERR_INVALID, "%s: the name ends in .zip or .tar.gz", name);
    int r = bx_archive_pack(s, kind, &bytes, err);
    if (r == 0)
        r = bx_file_write_atomic(name, bx_buf_str(&bytes), 0644, err);
    if (r == 0)
        r = bx_skill_digest(s, digest, err);
    if (r == 0)
        fprintf(stderr, "%s: %zu bytes, digest of the skill %.16s\n", name, bytes.size, digest);
    return r;
}

int bx_cmd_skill_pack(const struct bx_args *args) {
    return with_context(args, pack);
}

static const char template[] =
    "---\n"
    "name: %s\n"
    "description: What it does and when to use it, in one or two sentences. The model reads this "
    "to decide.\n"
    "# Words of a message, or files like \"*.css\", that make it be proposed:\n"
    "# triggers: [release notes]\n"
    "# What is left of the tools while it is active; leave it out for all:\n"
    "# tools: [read, grep, glob]\n"
    "parameters:\n"
    "  - name: topic\n"
    "    description: what it is about\n"
    "    required: true\n"
    "---\n"
    "Say here, step by step, how the work about {{topic}} is done.\n"
    "\n"
    "1. Look at …\n"
    "2. Do …\n"
    "3. Check …\n"
    "\n"
    "Files beside this one (references/, scripts/, assets/) are at /skills/%s/ for the tools, "
    "read-only.\n";

static int new_skill(const struct bx_args *args, struct bx_cli_context *c, struct bx_err *err) {
    const char *name = args->operands.p[0], *out = bx_args_get(args, "out");
    if (!bx_skill_name_ok(bx_str(name)))
        return bx_fail(
            err, BX_ERR_INVALID,
            "a skill's name has at most 64 letters, digits, '-', '_' and '.': not \"%.80s\"", name);
    bx_auto(bx_freep) char *own = bx_asprintf("%s/skills/%s", c->workspace.state, name),
                           *folder = bx_strdup(out ? out : own),
                           *file = bx_path_join(folder, BX_SKILL_FILE),
                           *text = bx_asprintf(template, name, name);
    if (bx_file_exists(folder))
        return bx_fail(err, BX_ERR_EXISTS,
                       "%s is there already: choose another name, or --out PATH", folder);
    int r = bx_dir_make(folder, 0755, err);
    if (r == 0)
        r = bx_file_write_atomic(file, bx_str(text), 0644, err);
    if (r < 0)
        (void)rmdir(folder); /* empty, it would stand in the way of the next try */
    else
        fprintf(stderr, "%s\n", file);
    return r;
}

int bx_cmd_skill_new(const struct bx_args *args) {
    return with_context(args, new_skill);
}
