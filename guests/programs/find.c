// find.c - find: GNU's tests and actions
#include "programs/find.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "programs/programs.h"

struct find f;

// --- the walk

static void visit(struct node *root, const char *start, const char *path, const char *name,
                  int depth);

static void visit_below(struct node *root, const char *start, const char *path, int depth) {
    struct tool_list names = {0};
    DIR *d = opendir(path);
    if (!d) {
        tool_warn("'%s': %s", path, strerror(errno));
        return;
    }
    for (struct dirent *e; (e = readdir(d));) {
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..")) {
            tool_push(&names, tool_strdup(e->d_name));
        }
    }
    closedir(d);
    for (size_t i = 0; i < names.n && !f.quits; i++) {
        char *below = tool_join(path, names.p[i]);
        visit(root, start, below, names.p[i], depth + 1);
        free(below);
        free(names.p[i]);
    }
    free(names.p);
}

static void visit(struct node *root, const char *start, const char *path, const char *name,
                  int depth) {
    struct entry e = {.path = path, .name = name, .start = start, .depth = depth};
    bool links = f.follows || (f.same_argument_links && depth == 0);
    if ((!links || stat(path, &e.st)) && lstat(path, &e.st)) {
        tool_warn("'%s': %s", path, strerror(errno));
        return;
    }
    bool is_dir = S_ISDIR(e.st.st_mode) && depth < MAX_DEPTH;
    bool is_in = depth >= f.min_depth, goes_down = is_dir && depth < f.max_depth;
    if (f.depth_first && goes_down) {
        visit_below(root, start, path, depth);
    }
    if (is_in && !f.quits) {
        root->eval(root, &e);
    }
    if (!f.depth_first && goes_down && !e.prune && !f.quits) {
        visit_below(root, start, path, depth);
    }
}

int find_main(int argc, char **argv) {
    struct tool_list starts = {0};
    (void)argc;
    f.max_depth = INT_MAX;
    f.syntax = REGEX_BASIC;
    tool_now(&f.now);
    f.argv = argv + 1;
    for (; *f.argv; f.argv++) {
        if (!strcmp(*f.argv, "-L")) {
            f.follows = true;
        } else if (!strcmp(*f.argv, "-H")) {
            f.same_argument_links = true;
        } else if (strcmp(*f.argv, "-P") && strncmp(*f.argv, "-O", 2)) {
            break;
        }
    }
    for (; *f.argv && **f.argv != '-' && strcmp(*f.argv, "(") && strcmp(*f.argv, "!") &&
           strcmp(*f.argv, ",");
         f.argv++) {
        tool_push(&starts, *f.argv);
    }
    if (!starts.n) {
        tool_push(&starts, (char *)".");
    }
    struct node *root = *f.argv ? find_parse() : find_node(eval_true);
    if (*f.argv) {
        tool_die(1, "you have too many ')'");
    }
    if (!f.has_action) {
        struct node *print = find_node(eval_print);
        print->letter = '\n';
        struct node *both = find_node(eval_and);
        both->left = root;
        both->right = print;
        root = both;
    }
    for (size_t i = 0; i < starts.n && !f.quits; i++) {
        const char *path = starts.p[i];
        size_t len = strlen(path);
        while (len > 1 && path[len - 1] == '/') {
            len--;
        }
        const char *slash = memrchr(path, '/', len > 1 ? len - 1 : 0);
        visit(root, path, path, slash ? slash + 1 : path, 0);
    }
    for (int i = 0; i < f.n_plus; i++) {
        find_run_collected(f.plus[i]);
    }
    return bx_status;
}
