#include "box/receipt_read.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/path.h"
#include "base/vec.h"

#define LOOK_BACK (16 * BX_MIB)
#define PIECE     (1 * BX_MIB) /* more than the longest line, which is 256 KiB */

struct search {
    const char *tool;
    size_t left;  /* receipts that are still wanted */
    size_t bytes; /* that may still be looked at */
    struct bx_jw *w;
};

static void take_line(struct search *s, struct bx_str line) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    if (!line.n || bx_doc_parse(line, NULL, &doc, NULL))
        return;
    const struct bx_val *root = bx_doc_root(doc);
    if (!bx_val_is(root, BX_VAL_OBJ) ||
        (s->tool && !bx_str_eqz(bx_val_get_str(root, "tool"), s->tool)))
        return;
    bx_jw_val(s->w, root);
    s->left--;
}

/* The whole lines that begin in [from, from + n) of the text, last first. */
static void take_lines(struct search *s, const char *p, size_t n) {
    while (n > 0 && s->left > 0) {
        size_t end = n, start;
        for (start = end; start > 0 && p[start - 1] != '\n'; start--) {
        }
        take_line(s, bx_str_n(p + start, end - start));
        n = start > 0 ? start - 1 : 0;
    }
}

static void search_file(struct search *s, const char *path) {
    struct stat st;
    bx_auto(bx_fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return;
    bx_auto(bx_freep) char *piece = bx_alloc(PIECE);
    off_t end = st.st_size;
    while (end > 0 && s->left > 0 && s->bytes > 0) {
        size_t n = BX_MIN(BX_MIN((size_t)end, (size_t)PIECE), s->bytes), first = 0;
        if (pread(fd, piece, n, end - (off_t)n) != (ssize_t)n)
            return;
        s->bytes -= n;
        if ((off_t)n < end) { /* the first line may have begun before */
            const char *newline = memchr(piece, '\n', n);
            if (!newline)
                return;
            first = (size_t)(newline - piece) + 1;
        }
        take_lines(s, piece + first, n - first);
        end -= (off_t)(n - first);
    }
}

struct names {
    BX_VEC(char *) list;
};

static int add_name(void *user, const char *name) {
    struct names *names = user;
    if (bx_str_ends(bx_str(name), ".jsonl"))
        bx_vec_push(&names->list, bx_strdup(name));
    return 0;
}

static int newest_first(const void *a, const void *b) {
    return strcmp(*(char *const *)b, *(char *const *)a);
}

void bx_receipts_recent(const char *dir, const char *tool, size_t max, struct bx_jw *w) {
    struct search search = {.tool = tool, .left = max, .bytes = LOOK_BACK, .w = w};
    struct names names = {0};
    bx_dir_each(dir, add_name, &names, NULL);
    if (names.list.n)
        qsort(names.list.p, names.list.n, sizeof *names.list.p, newest_first);
    bx_jw_arr(w);
    for (size_t i = 0; i < names.list.n; i++) {
        bx_auto(bx_freep) char *path = bx_path_join(dir, names.list.p[i]);
        if (search.left > 0)
            search_file(&search, path);
        bx_free(names.list.p[i]);
    }
    bx_jw_end(w);
    bx_vec_free(&names.list);
}
