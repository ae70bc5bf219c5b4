#include "common/diff.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"

enum { MAX_DIFF_BYTES = 32 * 1024, MAX_EDITS = 400, CONTEXT = 3, MAX_SHOWN_LINE = 500 };

struct line {
    const char *text;
    size_t len;
    uint32_t hash;
};

struct lines {
    struct line *at;
    long n;
};

// One run of lines that differ: [a, a + n_a) is replaced by [b, b + n_b).
struct change {
    long a, n_a, b, n_b;
};

struct changes {
    struct change *at;
    size_t n, cap;
};

static struct lines split(const char *text, size_t len) {
    struct lines out = {0};
    long cap = 0;
    for (const char *end = text + len; text < end;) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t n = (size_t)((newline ? newline + 1 : end) - text);
        if (out.n == cap) {
            cap = cap * 2 + 64;
            out.at = bx_realloc(out.at, (size_t)cap * sizeof *out.at);
        }
        uint32_t hash = 2166136261U;
        for (size_t i = 0; i < n; i++) {
            hash = (hash ^ (unsigned char)text[i]) * 16777619U;
        }
        out.at[out.n++] = (struct line){text, n, hash};
        text += n;
    }
    return out;
}

static bool same(const struct line *a, const struct line *b) {
    return a->hash == b->hash && a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

// Called from the last change to the first.
static void add_change(struct changes *list, long a, long n_a, long b, long n_b) {
    struct change *last = list->n ? &list->at[list->n - 1] : NULL;
    if (last && last->a == a + n_a && last->b == b + n_b) {
        last->a = a;
        last->b = b;
        last->n_a += n_a;
        last->n_b += n_b;
        return;
    }
    if (list->n == list->cap) {
        list->cap = list->cap * 2 + 16;
        list->at = bx_realloc(list->at, list->cap * sizeof *list->at);
    }
    list->at[list->n++] = (struct change){a, n_a, b, n_b};
}

// Go back through the saved frontiers of myers() and collect the changes.
static void trace_back(long **saved, long d, long a, long b, long base, struct changes *list) {
    for (; d > 0; d--) {
        const long *v = saved[d - 1] + d; // v[k] of round d - 1 for |k| < d
        long k = a - b;
        bool is_insert = k == -d || (k != d && v[k - 1] < v[k + 1]);
        long before_k = is_insert ? k + 1 : k - 1;
        long before_a = v[before_k], before_b = before_a - before_k;
        // the diagonal run back to the edit is left out: those lines are the same
        add_change(list, base + before_a, !is_insert, base + before_b, is_insert);
        a = before_a;
        b = before_b;
    }
}

// Myers' greedy algorithm on the part between the common start and end. False if too different.
static bool myers(const struct line *a, long n_a, const struct line *b, long n_b, long base,
                  struct changes *list) {
    long *saved[MAX_EDITS + 1], d = 0;
    long v[2 * MAX_EDITS + 3], *middle = v + MAX_EDITS + 1;
    bool found = false;
    memset(v, 0, sizeof v);
    for (; d <= MAX_EDITS && !found; d++) {
        for (long k = -d; k <= d; k += 2) {
            bool is_insert = k == -d || (k != d && middle[k - 1] < middle[k + 1]);
            long x = is_insert ? middle[k + 1] : middle[k - 1] + 1;
            while (x < n_a && x - k < n_b && same(&a[x], &b[x - k])) {
                x++;
            }
            middle[k] = x;
            if (x >= n_a && x - k >= n_b) {
                found = true;
                break;
            }
        }
        saved[d] = bx_alloc((size_t)(2 * d + 3) * sizeof **saved);
        memcpy(saved[d], middle - d - 1, (size_t)(2 * d + 3) * sizeof **saved);
    }
    if (found) {
        trace_back(saved, d - 1, n_a, n_b, base, list);
    }
    while (d > 0) {
        free(saved[--d]);
    }
    return found;
}

static void put_line(struct bx_buf *out, char mark, const struct line *line) {
    size_t len = line->len - (line->len && line->text[line->len - 1] == '\n');
    size_t shown = bx_utf8_cut(line->text, len, MAX_SHOWN_LINE);
    bx_buf_add_char(out, mark);
    bx_buf_add(out, line->text, shown);
    bx_buf_add_str(out, shown < len ? " [...]\n" : "\n");
    if (len == line->len) {
        bx_buf_add_str(out, "\\ No newline at end of file\n");
    }
}

// Changes from (the earlier, at a higher index) to, near enough to each other for one hunk.
static bool put_hunk(struct bx_buf *out, const struct lines *a, const struct lines *b,
                     const struct change *from, const struct change *to) {
    long start_a = from->a > CONTEXT ? from->a - CONTEXT : 0;
    long start_b = start_a + from->b - from->a;
    long end_a = to->a + to->n_a + CONTEXT < a->n ? to->a + to->n_a + CONTEXT : a->n;
    long end_b = end_a - (to->a + to->n_a) + to->b + to->n_b, at = start_a;
    long n_a = end_a - start_a, n_b = end_b - start_b;
    bx_buf_add_fmt(out, "@@ -%ld,%ld +%ld,%ld @@\n", start_a + (n_a > 0), n_a, start_b + (n_b > 0),
                   n_b);
    for (const struct change *c = from; c >= to; c--) {
        for (; at < c->a; at++) {
            put_line(out, ' ', &a->at[at]);
        }
        for (; at < c->a + c->n_a && out->len < MAX_DIFF_BYTES; at++) {
            put_line(out, '-', &a->at[at]);
        }
        for (long i = 0; i < c->n_b && out->len < MAX_DIFF_BYTES; i++) {
            put_line(out, '+', &b->at[c->b + i]);
        }
        if (out->len >= MAX_DIFF_BYTES) {
            return false;
        }
    }
    for (; at < end_a; at++) {
        put_line(out, ' ', &a->at[at]);
    }
    return true;
}

struct bx_diff_size bx_diff_put(struct bx_buf *out, const char *before, size_t before_len,
                                const char *after, size_t after_len) {
    struct lines a = split(before, before_len), b = split(after, after_len);
    struct changes list = {0};
    struct bx_diff_size size = {0};
    long start = 0, end = 0;
    while (start < a.n && start < b.n && same(&a.at[start], &b.at[start])) {
        start++;
    }
    while (end < a.n - start && end < b.n - start &&
           same(&a.at[a.n - 1 - end], &b.at[b.n - 1 - end])) {
        end++;
    }
    long n_a = a.n - start - end, n_b = b.n - start - end;
    if ((n_a || n_b) && !myers(a.at + start, n_a, b.at + start, n_b, start, &list)) {
        add_change(&list, start, n_a, start, n_b);
    }
    for (size_t i = 0; i < list.n; i++) {
        size.removed += (size_t)list.at[i].n_a;
        size.added += (size_t)list.at[i].n_b;
    }
    for (size_t i = list.n; i > 0;) {
        size_t last = i - 1;
        while (last > 0 &&
               list.at[last - 1].a - (list.at[last].a + list.at[last].n_a) <= 2 * CONTEXT) {
            last--;
        }
        if (!put_hunk(out, &a, &b, &list.at[i - 1], &list.at[last])) {
            bx_buf_add_fmt(out,
                           "[the rest is left out; in all %zu lines are removed and %zu added]\n",
                           size.removed, size.added);
            break;
        }
        i = last;
    }
    free(list.at);
    free(a.at);
    free(b.at);
    return size;
}
