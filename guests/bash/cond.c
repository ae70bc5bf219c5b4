// [[ … ]], test and [.
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bash/sh.h"

static bool is_newer(struct sh *sh, const char *a, const char *b) {
    struct stat sa, sb;
    if (stat(sh_path(sh, a), &sa) < 0) {
        return false;
    }
    if (stat(sh_path(sh, b), &sb) < 0) {
        return true;
    }
    return sa.st_mtim.tv_sec != sb.st_mtim.tv_sec ? sa.st_mtim.tv_sec > sb.st_mtim.tv_sec
                                                  : sa.st_mtim.tv_nsec > sb.st_mtim.tv_nsec;
}

static bool is_same_file(struct sh *sh, const char *a, const char *b) {
    struct stat sa, sb;
    return stat(sh_path(sh, a), &sa) == 0 && stat(sh_path(sh, b), &sb) == 0 &&
           sa.st_ino == sb.st_ino && sa.st_dev == sb.st_dev;
}

static bool is_script_or_program(struct sh *sh, const char *path) {
    if (!sh->programs) {
        return access(path, X_OK) == 0;
    }
    struct stat st;
    if (stat(path, &st) < 0 || !S_ISREG(st.st_mode)) {
        return false;
    }
    char head[4] = ""; // the box cannot see permission bits: what begins like a program is one
    int fd = open(path, O_RDONLY);
    ssize_t got = fd < 0 ? -1 : read(fd, head, sizeof head);
    if (fd >= 0) {
        close(fd);
    }
    return got >= 2 &&
           (memcmp(head, "#!", 2) == 0 || (got == 4 && memcmp(head, "\177ELF", 4) == 0));
}

bool sh_test_file(struct sh *sh, char op, const char *path) {
    struct stat st;
    char *real = sh_path(sh, path);
    if (!path[0]) {
        return false;
    }
    if (op == 'h' || op == 'L') {
        return lstat(real, &st) == 0 && S_ISLNK(st.st_mode);
    }
    bool is_device = strncmp(path, "/dev/", 5) == 0 &&
                     (strcmp(path, "/dev/null") == 0 || strncmp(path, "/dev/std", 8) == 0);
    if (is_device) {
        return strchr("aecrw", op) != NULL;
    }
    if (stat(real, &st) < 0) {
        return false;
    }
    switch (op) {
    case 'a':
    case 'e':
        return true;
    case 'f':
        return S_ISREG(st.st_mode);
    case 'd':
        return S_ISDIR(st.st_mode);
    case 's':
        return st.st_size > 0;
    case 'b':
        return S_ISBLK(st.st_mode);
    case 'c':
        return S_ISCHR(st.st_mode);
    case 'p':
        return S_ISFIFO(st.st_mode);
    case 'S':
        return S_ISSOCK(st.st_mode);
    case 'g':
    case 'u':
    case 'k':
        return false;
    case 'r':
        return access(real, R_OK) == 0;
    case 'w':
        return access(real, W_OK) == 0;
    case 'x':
        return S_ISDIR(st.st_mode) || is_script_or_program(sh, real);
    case 'O':
    case 'G':
        return true;
    case 'N':
        return false;
    default:
        return false;
    }
}

static bool test_var(struct sh *sh, const char *name) {
    size_t n = strcspn(name, "[");
    char *base = sh_arena_copy(&sh->scratch, name, n);
    const struct sh_var *var = sh_var_get(sh, base);
    if (!name[n]) {
        return var ? (var->flags & SH_ASSOC ? sh_key_get(var, "0") != NULL
                                            : sh_item_get(var, 0) != NULL)
                   : sh_special(sh, base) != NULL;
    }
    char *index = sh_arena_copy(&sh->scratch, name + n + 1, strcspn(name + n + 1, "]"));
    long long i;
    if (!var) {
        return false;
    }
    if (strcmp(index, "@") == 0 || strcmp(index, "*") == 0) {
        return var->n > 0;
    }
    if (var->flags & SH_ASSOC) {
        return sh_key_get(var, index) != NULL;
    }
    return sh_arith(sh, index, &i) && sh_item_get(var, i) != NULL;
}

static bool option_is_on(struct sh *sh, const char *name) {
    static const struct {
        const char *name;
        unsigned flag;
    } options[] = {{"errexit", SH_ERREXIT},    {"nounset", SH_NOUNSET},
                   {"xtrace", SH_XTRACE},      {"noglob", SH_NOGLOB},
                   {"pipefail", SH_PIPEFAIL},  {"noclobber", SH_NOCLOBBER},
                   {"allexport", SH_ALLEXPORT}};
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (strcmp(options[i].name, name) == 0) {
            return sh->options & options[i].flag;
        }
    }
    return false;
}

static bool unary(struct sh *sh, char op, const char *text) {
    switch (op) {
    case 'n':
        return text[0] != '\0';
    case 'z':
        return text[0] == '\0';
    case 'v':
        return test_var(sh, text);
    case 'R': {
        const struct sh_var *var = sh_var_get_raw(sh, text);
        return var && var->flags & SH_NAMEREF;
    }
    case 'o':
        return option_is_on(sh, text);
    case 't':
        return false;
    default:
        return sh_test_file(sh, op, text);
    }
}

static const char *const number_ops[] = {"-eq", "-ne", "-lt", "-le", "-gt", "-ge"};

static int number_op(const char *op) {
    for (int i = 0; i < 6; i++) {
        if (strcmp(op, number_ops[i]) == 0) {
            return i;
        }
    }
    return -1;
}

static bool compare_numbers(int op, long long x, long long y) {
    return op == 0   ? x == y
           : op == 1 ? x != y
           : op == 2 ? x < y
           : op == 3 ? x <= y
           : op == 4 ? x > y
                     : x >= y;
}

// --- [[

static int match_regex(struct sh *sh, const char *text, const char *pattern) {
    regex_t regex;
    regmatch_t groups[20];
    if (regcomp(&regex, pattern, REG_EXTENDED | (sh->shopts & SH_NOCASEMATCH ? REG_ICASE : 0)) !=
        0) {
        return 2;
    }
    bool found = regexec(&regex, text, 20, groups, 0) == 0;
    const char *values[20];
    size_t n = 0;
    for (; found && n < 20 && n <= regex.re_nsub; n++) {
        values[n] = groups[n].rm_so < 0
                        ? ""
                        : sh_arena_copy(&sh->scratch, text + groups[n].rm_so,
                                        (size_t)(groups[n].rm_eo - groups[n].rm_so));
    }
    sh_set_array(sh, "BASH_REMATCH", values, n);
    regfree(&regex);
    return found ? 0 : 1;
}

static int binary(struct sh *sh, const struct sh_cond *cond) {
    char *a = sh_expand_text(sh, cond->a);
    if (!a) {
        return 1;
    }
    int op = number_op(cond->op);
    if (op >= 0) {
        char *b = sh_expand_text(sh, cond->b);
        long long x, y;
        return b && sh_arith(sh, a, &x) && sh_arith(sh, b, &y) ? !compare_numbers(op, x, y) : 1;
    }
    if (strcmp(cond->op, "=~") == 0) {
        char *pattern = sh_expand_regex(sh, cond->b);
        return pattern ? match_regex(sh, a, pattern) : 1;
    }
    if (cond->op[0] == '=' || cond->op[0] == '!') {
        char *pattern = sh_expand_pattern(sh, cond->b);
        bool matches =
            pattern && sh_match(pattern, a, strlen(a),
                                SH_MATCH_EXT | (sh->shopts & SH_NOCASEMATCH ? SH_MATCH_FOLD : 0));
        return matches == (cond->op[0] == '!');
    }
    char *b = sh_expand_text(sh, cond->b);
    if (!b) {
        return 1;
    }
    if (cond->op[0] == '<' || cond->op[0] == '>') {
        int order = strcmp(a, b);
        return cond->op[0] == '<' ? !(order < 0) : !(order > 0);
    }
    return !(strcmp(cond->op, "-nt") == 0   ? is_newer(sh, a, b)
             : strcmp(cond->op, "-ot") == 0 ? is_newer(sh, b, a)
                                            : is_same_file(sh, a, b));
}

int sh_cond_run(struct sh *sh, const struct sh_cond *cond) {
    int status;
    switch (cond->kind) {
    case SH_COND_AND:
        status = sh_cond_run(sh, cond->left);
        return status ? status : sh_cond_run(sh, cond->right);
    case SH_COND_OR:
        status = sh_cond_run(sh, cond->left);
        return status == 0 ? 0 : sh_cond_run(sh, cond->right);
    case SH_COND_NOT:
        status = sh_cond_run(sh, cond->left);
        return status > 1 ? status : !status;
    case SH_COND_UNARY: {
        char *text = sh_expand_text(sh, cond->a);
        return text ? !unary(sh, cond->op[1], text) : 1;
    }
    case SH_COND_BINARY:
        return binary(sh, cond);
    }
    return 2;
}

// --- test

struct test {
    struct sh *sh;
    char **args;
    size_t n, at;
    const char *name;
    int depth;
    bool is_failed;
};

static bool test_or(struct test *t);

static bool test_fail(struct test *t, const char *what, const char *why) {
    if (!t->is_failed) {
        sh_say(t->sh, "%s: %s%s%s", t->name, what, what[0] ? ": " : "", why);
    }
    t->is_failed = true;
    return false;
}

static bool is_binary(const char *op) {
    static const char *const ops[] = {"=", "==", "!=", "<", ">", "-nt", "-ot", "-ef"};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        if (strcmp(op, ops[i]) == 0) {
            return true;
        }
    }
    return number_op(op) >= 0;
}

static bool test_binary(struct test *t, const char *a, const char *op, const char *b) {
    int number = number_op(op);
    long long x, y;
    if (number >= 0) {
        if (!sh_parse_int(a, &x)) {
            return test_fail(t, a, "integer expression expected");
        }
        if (!sh_parse_int(b, &y)) {
            return test_fail(t, b, "integer expression expected");
        }
        return compare_numbers(number, x, y);
    }
    if (op[0] == '-') {
        return op[1] == 'n'   ? is_newer(t->sh, a, b)
               : op[1] == 'o' ? is_newer(t->sh, b, a)
                              : is_same_file(t->sh, a, b);
    }
    int order = strcmp(a, b);
    return op[0] == '='   ? order == 0
           : op[0] == '!' ? order != 0
           : op[0] == '<' ? order < 0
                          : order > 0;
}

static bool is_unary(const char *op) {
    return op[0] == '-' && op[1] && !op[2] && strchr("abcdefghknoprstuvwxzGLNORS", op[1]);
}

static bool test_primary(struct test *t) {
    size_t left = t->n - t->at;
    char **args = t->args + t->at;
    if (!left) {
        return test_fail(t, "", "argument expected");
    }
    if (left >= 3 && is_binary(args[1])) {
        t->at += 3;
        return test_binary(t, args[0], args[1], args[2]);
    }
    if (strcmp(args[0], "!") == 0 && left > 1) {
        t->at++;
        if (++t->depth > 100) {
            return test_fail(t, "", "too many arguments");
        }
        return !test_primary(t);
    }
    if (strcmp(args[0], "(") == 0 && left > 1) {
        t->at++;
        if (++t->depth > 100) {
            return test_fail(t, "", "too many arguments");
        }
        bool result = test_or(t);
        if (t->at >= t->n || strcmp(t->args[t->at], ")") != 0) {
            return test_fail(t, "", "`)' expected");
        }
        t->at++;
        return result;
    }
    if (left >= 2 && is_unary(args[0])) {
        t->at += 2;
        return unary(t->sh, args[0][1], args[1]);
    }
    t->at++;
    return args[0][0] != '\0';
}

static bool test_and(struct test *t) {
    bool result = test_primary(t);
    while (!t->is_failed && t->at < t->n && strcmp(t->args[t->at], "-a") == 0) {
        t->at++;
        bool right = test_primary(t);
        result = result && right;
    }
    return result;
}

static bool test_or(struct test *t) {
    bool result = test_and(t);
    while (!t->is_failed && t->at < t->n && strcmp(t->args[t->at], "-o") == 0) {
        t->at++;
        bool right = test_and(t);
        result = result || right;
    }
    return result;
}

int sh_test(struct sh *sh, char **args, size_t n) {
    struct test t = {.sh = sh, .args = args + 1, .n = n - 1, .name = args[0]};
    if (strcmp(args[0], "[") == 0) {
        if (n < 2 || strcmp(args[n - 1], "]") != 0) {
            sh_say(sh, "[: missing `]'");
            return 2;
        }
        t.n--;
    }
    if (t.n == 0) {
        return 1;
    }
    if (t.n == 1) { // [ -n ] is a text
        return !t.args[0][0];
    }
    if (t.n == 2 && strcmp(t.args[0], "!") != 0 && !is_unary(t.args[0])) {
        test_fail(&t, t.args[0], "unary operator expected");
        return 2;
    }
    if (t.n == 3 && !is_binary(t.args[1]) && strcmp(t.args[1], "-a") != 0 &&
        strcmp(t.args[1], "-o") != 0 && strcmp(t.args[0], "!") != 0 &&
        strcmp(t.args[0], "(") != 0) {
        test_fail(&t, t.args[1], "binary operator expected");
        return 2;
    }
    bool result = test_or(&t);
    if (!t.is_failed && t.at < t.n) {
        test_fail(&t, "", "too many arguments");
    }
    return t.is_failed ? 2 : !result;
}
