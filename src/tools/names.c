#include "tools/names.h"

static const struct {
    const char *foreign, *own;
} names[] = {
    {"Read", "read"},
    {"View", "read"},
    {"NotebookRead", "read"},
    {"Write", "write"},
    {"Edit", "edit"},
    {"MultiEdit", "edit"},
    {"NotebookEdit", "edit"},
    {"patch", "edit"},
    {"Glob", "glob"},
    {"LS", "glob"},
    {"list", "glob"},
    {"Grep", "grep"},
    {"Bash", "bash"},
    {"Shell", "bash"},
    {"WebFetch", "web_fetch"},
    {"Task", "Agent"},
    {"TaskOutput", "AgentOutput"},
    {"BashOutput", "bash"},
    {"TodoRead", "TodoWrite"},
    {"Question", "AskUserQuestion"},
};

struct bx_str bx_tool_pattern_name(struct bx_str pattern) {
    size_t open = bx_str_find(pattern, '(');
    return bx_str_trim(bx_str_slice(pattern, 0, open == (size_t)-1 ? pattern.n : open));
}

/* "(git:*)" is elsewhere what "(git *)" is here. */
static void add_inside(struct bx_str inside, struct bx_buf *out) {
    if (bx_str_ends(inside, ":*)")) {
        bx_buf_add(out, inside.p, inside.n - 3);
        bx_buf_addz(out, " *)");
    } else {
        bx_buf_adds(out, inside);
    }
}

char *bx_tool_pattern_own(struct bx_str pattern) {
    pattern = bx_str_trim(pattern);
    struct bx_str name = bx_tool_pattern_name(pattern);
    size_t open = bx_str_find(pattern, '(');
    struct bx_buf out = BX_BUF_INIT(pattern.n + 32);
    const char *own = NULL;
    for (size_t i = 0; i < BX_ARRAY_LEN(names) && !own; i++)
        own = bx_str_ieqz(name, names[i].foreign) ? names[i].own : NULL;
    if (own)
        bx_buf_addz(&out, own);
    else
        bx_buf_adds(&out, name);
    if (open != (size_t)-1)
        add_inside(bx_str_slice(pattern, open, pattern.n), &out);
    bx_buf_addz(&out, "");
    return bx_buf_steal(&out);
}
