#include "common/newest.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/buf.h"
#include "common/path.h"

// Less than 0 when a comes before b in the answer.
static int order(const void *a_ptr, const void *b_ptr) {
    const struct bx_newest_path *a = a_ptr, *b = b_ptr;
    if (a->mtime_ns != b->mtime_ns) {
        return a->mtime_ns > b->mtime_ns ? -1 : 1;
    }
    return strcmp(a->path, b->path);
}

void bx_newest_init(struct bx_newest *newest, size_t max) {
    *newest = (struct bx_newest){.max = max};
    newest->heap = bx_alloc(max * sizeof *newest->heap);
}

static void swap(struct bx_newest_path *a, struct bx_newest_path *b) {
    struct bx_newest_path c = *a;
    *a = *b;
    *b = c;
}

static void sift_up(struct bx_newest *newest, size_t i) {
    while (i && order(&newest->heap[i], &newest->heap[(i - 1) / 2]) > 0) {
        swap(&newest->heap[i], &newest->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
}

static void sift_down(struct bx_newest *newest) {
    for (size_t i = 0;;) {
        size_t last = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < newest->n; child++) {
            if (order(&newest->heap[child], &newest->heap[last]) > 0) {
                last = child;
            }
        }
        if (last == i) {
            return;
        }
        swap(&newest->heap[i], &newest->heap[last]);
        i = last;
    }
}

void bx_newest_add(struct bx_newest *newest, const char *path) {
    struct stat st;
    struct bx_newest_path fresh = {.path = (char *)(uintptr_t)path};
    newest->n_seen++;
    if (bx_path_is_text(path) && lstat(path, &st) == 0) {
        fresh.mtime_ns = (long long)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    }
    bool is_full = newest->n == newest->max;
    if (!newest->max || (is_full && order(&fresh, &newest->heap[0]) > 0)) {
        return;
    }
    fresh.path = bx_strndup(path, strlen(path));
    if (is_full) {
        free(newest->heap[0].path);
        newest->heap[0] = fresh;
        sift_down(newest);
    } else {
        newest->heap[newest->n++] = fresh;
        sift_up(newest, newest->n - 1);
    }
}

void bx_newest_sort(struct bx_newest *newest) {
    if (newest->n) {
        qsort(newest->heap, newest->n, sizeof *newest->heap, order);
    }
}
