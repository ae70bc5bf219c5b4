/* tool new: one of the examples under examples/tools, with the user's name in it. */
#include <sys/stat.h>

#include "base/file.h"
#include "base/path.h"
#include "cli/commands.h"

#define PLACEHOLDER  "@NAME@"
#define NAME_MAX_LEN 64

static const char *const languages[] = {"c", "rust", "js"};

/* A name that is a tool's, a file's and a crate's at once. */
static int check_name(const char *name, struct bx_err *err) {
    size_t n = strlen(name);
    bool is_fine = n >= 1 && n <= NAME_MAX_LEN && name[0] >= 'a' && name[0] <= 'z' &&
                   strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == n;
    return is_fine ? 0
                   : bx_fail(err, BX_ERR_INVALID,
                             "a tool's name begins with a small letter and has only small letters, "
                             "digits, '-' and '_' (at most %d): not \"%.80s\"",
                             NAME_MAX_LEN, name);
}

static void replace_all(struct bx_buf *out, struct bx_str text, const char *name) {
    for (size_t at; (at = bx_str_find_str(text, BX_STR_LIT(PLACEHOLDER))) != (size_t)-1;) {
        bx_buf_adds(out, bx_str_slice(text, 0, at));
        bx_buf_addz(out, name);
        text = bx_str_slice(text, at + strlen(PLACEHOLDER), text.n);
    }
    bx_buf_adds(out, text);
}

/* "src/main.rs" stays, "tool.c" takes the tool's name; NULL: not of this language. */
static char *target_of(const struct bx_file_blob *file, const char *language, const char *name) {
    struct bx_str rest = bx_str(file->name), top;
    if (bx_str_eqz(rest, "test.sh"))
        return bx_strdup("test.sh");
    if (!bx_str_split(&rest, '/', &top) || !bx_str_eqz(top, language))
        return NULL;
    return bx_str_starts(rest, "tool.")
               ? bx_asprintf("%s" BX_STR_FMT, name, BX_STR_ARG(bx_str_slice(rest, 4, rest.n)))
               : bx_str_dup(rest);
}

static int write_one(const struct bx_file_blob *file, const char *dir, const char *target,
                     const char *name, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(BX_MIB);
    bx_auto(bx_freep) char *path = bx_path_join(dir, target), *parent = bx_path_dir(path);
    replace_all(&text, bx_str_n((const char *)file->content.p, file->content.n), name);
    int r = bx_dir_make(parent, 0755, err);
    return r < 0
               ? r
               : bx_file_write_atomic(path, bx_buf_str(&text), file->is_program ? 0755 : 0644, err);
}

static int write_example(const char *language, const char *name, const char *dir,
                         struct bx_err *err) {
    if (bx_file_exists(dir))
        return bx_fail(err, BX_ERR_INVALID,
                       "%s is there already: choose another name, or --out PATH", dir);
    int r = 0;
    for (const struct bx_file_blob *file = bx_tool_examples; file->name && r == 0; file++) {
        bx_auto(bx_freep) char *target = target_of(file, language, name);
        if (target)
            r = write_one(file, dir, target, name, err);
    }
    return r;
}

int bx_cmd_tool_new(const struct bx_args *args) {
    struct bx_err err;
    const char *name = args->operands.p[0], *language = bx_args_get(args, "lang");
    const char *dir = bx_args_get(args, "out") ? bx_args_get(args, "out") : name;
    bool known = false;
    language = language ? language : languages[0];
    for (size_t i = 0; i < BX_ARRAY_LEN(languages); i++)
        known = known || strcmp(language, languages[i]) == 0;
    if (!known) {
        bx_fail(&err, BX_ERR_INVALID, "--lang is c, rust or js, not \"%.40s\"", language);
        return bx_cli_fail(BX_EXIT_USAGE, &err);
    }
    if (check_name(name, &err) < 0)
        return bx_cli_fail(BX_EXIT_USAGE, &err);
    if (write_example(language, name, dir, &err) < 0)
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    struct bx_buf out = BX_BUF_INIT(4 * BX_KIB);
    bx_buf_addf(&out,
                "%s is a working tool. In that folder:\n"
                "  make test       builds it and calls it in the sandbox\n"
                "  make install    gives it to all your workspaces (WORKSPACE=DIR: to one)\n",
                dir);
    return bx_cli_print(&out);
}
