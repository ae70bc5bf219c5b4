#include "skills/tool_names.h"

#define PATTERN_MAX 300

/* Other agents' names on the left, ours on the right; compared without case, '-' and '_'. Those
 * that differ from ours by that only need no row. */
static const struct {
    const char *theirs, *ours;
} names[] = {
    {"fileread", "read"},
    {"readfile", "read"},
    {"view", "read"},
    {"notebookread", "read"},
    {"read", "read"},
    {"filewrite", "write"},
    {"writefile", "write"},
    {"create", "write"},
    {"write", "write"},
    {"fileedit", "edit"},
    {"editfile", "edit"},
    {"multiedit", "edit"},
    {"strreplace", "edit"},
    {"edit", "edit"},
    {"ls", "glob"},
    {"list", "glob"},
    {"listfiles", "glob"},
    {"find", "glob"},
    {"glob", "glob"},
    {"search", "grep"},
    {"ripgrep", "grep"},
    {"grep", "grep"},
    {"shell", "bash"},
    {"runcommand", "bash"},
    {"terminal", "bash"},
    {"bash", "bash"},
    {"boxedjs", "jsexec"},
    {"javascript", "jsexec"},
    {"js", "jsexec"},
    {"jsexec", "jsexec"},
    {"webfetch", "web_fetch"},
    {"fetch", "web_fetch"},
    {"httpget", "web_fetch"},
    {"task", "Agent"},
    {"agent", "Agent"},
    {"skilltool", "Skill"},
    {"skill", "Skill"},
    {"askuser", "AskUserQuestion"},
    {"todowrite", "TodoWrite"},
    {"askuserquestion", "AskUserQuestion"},
    {"toolsearch", "ToolSearch"},
};

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',';
}

bool bx_tool_pattern_next(struct bx_str *rest, struct bx_str *ret) {
    size_t at = 0, end;
    unsigned depth = 0;
    while (at < rest->n && is_blank(rest->p[at]))
        at++;
    for (end = at; end < rest->n && (depth || !is_blank(rest->p[end])); end++) {
        depth += rest->p[end] == '(';
        depth -= depth && rest->p[end] == ')';
    }
    *ret = bx_str_slice(*rest, at, end - at);
    *rest = bx_str_slice(*rest, end, rest->n);
    return ret->n > 0;
}

/* Small letters and digits only. */
static void bare(struct bx_str name, char out[static 65]) {
    size_t n = 0;
    for (size_t i = 0; i < name.n && n < 64; i++) {
        char c = name.p[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if (c != '-' && c != '_')
            out[n++] = c;
    }
    out[n] = 0;
}

static struct bx_str ours_of(struct bx_str name) {
    char key[65];
    bare(name, key);
    for (size_t i = 0; i < BX_ARRAY_LEN(names); i++)
        if (strcmp(names[i].theirs, key) == 0)
            return bx_str(names[i].ours);
    return name;
}

static bool name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("_.-*", c));
}

/* "git:*" is their way to write "git" and whatever follows. */
static void add_inside(struct bx_buf *out, struct bx_str inside, bool path) {
    if (bx_str_ends(inside, ":*")) {
        bx_buf_adds(out, bx_str_slice(inside, 0, inside.n - 2));
        bx_buf_addz(out, "*");
        return;
    }
    if (path && !bx_str_starts(inside, "/")) { /* tools see the root as "/" */
        inside = bx_str_starts(inside, "./") ? bx_str_slice(inside, 2, inside.n) : inside;
        bx_buf_addc(out, '/');
    }
    bx_buf_adds(out, inside);
}

static bool names_a_path(struct bx_str tool) {
    static const char *const with_paths[] = {"read", "write", "edit", "glob", "grep"};
    for (size_t i = 0; i < BX_ARRAY_LEN(with_paths); i++)
        if (bx_str_eqz(tool, with_paths[i]))
            return true;
    return false;
}

char *bx_tool_pattern_ours(struct bx_str pattern, const char **ret_problem) {
    size_t open = bx_str_find(pattern, '(');
    struct bx_str name = open == (size_t)-1 ? pattern : bx_str_trim(bx_str_slice(pattern, 0, open)),
                  inside = {NULL, 0};
    *ret_problem = NULL;
    if (open != (size_t)-1 && bx_str_ends(pattern, ")"))
        inside = bx_str_trim(bx_str_slice(pattern, open + 1, pattern.n - open - 2));
    for (size_t i = 0; i < name.n && !*ret_problem; i++)
        if (!name_char(name.p[i]))
            *ret_problem = "a tool's name has letters, digits, '_', '-', '.' and '*' only";
    if (pattern.n > PATTERN_MAX)
        *ret_problem = "it is longer than 300 bytes";
    else if (!name.n)
        *ret_problem = "it names no tool";
    else if (open != (size_t)-1 && !inside.p)
        *ret_problem = "a parenthesis is not closed";
    else if (inside.p && memchr(inside.p, 0, inside.n))
        *ret_problem = "it holds a NUL";
    if (*ret_problem)
        return NULL;
    struct bx_buf out = BX_BUF_INIT(2 * PATTERN_MAX);
    name = ours_of(name);
    bx_buf_adds(&out, name);
    if (inside.n && !bx_str_eqz(inside, "*")) {
        bx_buf_addc(&out, '(');
        add_inside(&out, inside, names_a_path(name));
        bx_buf_addc(&out, ')');
    }
    return bx_buf_steal(&out);
}
