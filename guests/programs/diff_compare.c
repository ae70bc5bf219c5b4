// diff_compare.c - which lines differ
#include "programs/diff.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

// --- lines

void diff_split(struct side *s) {
    size_t cap = 0;
    for (size_t at = 0; at < s->len;) {
        const char *end = memchr(s->text + at, '\n', s->len - at);
        size_t n = end ? (size_t)(end - s->text) - at : s->len - at;
        if (s->n == cap) {
            cap = cap * 2 + 256;
            s->lines = tool_realloc(s->lines, cap * sizeof *s->lines);
            s->lens = tool_realloc(s->lens, cap * sizeof *s->lens);
        }
        s->lines[s->n] = s->text + at;
        s->lens[s->n++] = n;
        s->lacks_end = !end;
        at += n + 1;
    }
    s->ids = tool_alloc((s->n + 1) * sizeof *s->ids);
    s->differs = tool_alloc(s->n + 2);
    memset(s->differs, 0, s->n + 2);
}

// A line as it is compared
static size_t normal(const char *line, size_t n, char *out) {
    size_t k = 0;
    if (d.strips_cr && n && line[n - 1] == '\r') {
        n--;
    }
    for (size_t i = 0; i < n; i++) {
        char c = line[i];
        if (isspace((unsigned char)c) && (d.ignores_space || d.ignores_space_change)) {
            while (i + 1 < n && isspace((unsigned char)line[i + 1])) {
                i++;
            }
            if (d.ignores_space || i + 1 == n) {
                continue;
            }
            c = ' ';
        }
        out[k++] = d.ignores_case ? (char)tolower((unsigned char)c) : c;
    }
    while (d.ignores_end && k && isspace((unsigned char)out[k - 1])) {
        k--;
    }
    return k;
}

struct class {
    unsigned hash;
    size_t len;
    char *text;
    long id;
    struct class *next;
};

static void number_lines(struct side *a, struct side *b) {
    size_t n = a->n + b->n, buckets = n * 2 + 1;
    struct class **table = tool_alloc(buckets * sizeof *table);
    bool is_plain = !d.ignores_space && !d.ignores_space_change && !d.ignores_case &&
                    !d.strips_cr && !d.ignores_end;
    memset(table, 0, buckets * sizeof *table);
    long next = 0;
    char *made = NULL;
    size_t cap = 0;
    for (int k = 0; k < 2; k++) {
        struct side *s = k ? b : a;
        for (size_t i = 0; i < s->n; i++) {
            const char *text = s->lines[i];
            size_t len = s->lens[i];
            if (!is_plain) {
                if (len + 1 > cap) {
                    cap = len * 2 + 64;
                    made = tool_realloc(made, cap);
                }
                len = normal(text, len, made);
                text = made;
            }
            unsigned h = 2166136261u;
            for (size_t j = 0; j < len; j++) {
                h = (h ^ (unsigned char)text[j]) * 16777619u;
            }
            bool is_unended =
                is_plain && s->lacks_end && i + 1 == s->n; // a line without its end is another line
            h += is_unended;
            struct class **place = &table[h % buckets];
            while (*place && ((*place)->hash != h || (*place)->len != len + is_unended ||
                              memcmp((*place)->text, text, len))) {
                place = &(*place)->next;
            }
            if (!*place) {
                *place = tool_alloc(sizeof **place);
                **place =
                    (struct class){h, len + is_unended,
                                   is_plain ? (char *)text : tool_strndup(text, len), next++, NULL};
            }
            s->ids[i] = (*place)->id;
        }
    }
}

// --- the comparison: Myers' algorithm from both ends, in linear space

struct myers {
    const long *a, *b;
    bool *da, *db;
    long *forward, *backward; // furthest places by diagonal, with an offset
    long offset, budget;
};

static void compare_part(struct myers *m, long a0, long a1, long b0, long b1);

static void halve(struct myers *m, long a0, long a1, long b0, long b1) {
    long n = a1 - a0, k = b1 - b0, delta = n - k, max = (n + k + 1) / 2;
    long *f = m->forward + m->offset, *g = m->backward + m->offset;
    f[1] = 0;
    g[1] = 0;
    for (long step = 0; step <= max; step++) {
        if (m->budget > 0 && --m->budget == 0) { // too different: all of it
            break;
        }
        for (long i = -step; i <= step; i += 2) {
            long x = i == -step || (i != step && f[i - 1] < f[i + 1]) ? f[i + 1] : f[i - 1] + 1,
                 y = x - i, from = x;
            while (x < n && y < k && x >= 0 && y >= 0 && m->a[a0 + x] == m->b[b0 + y]) {
                x++;
                y++;
            }
            f[i] = x;
            if ((delta & 1) && i - delta >= -(step - 1) && i - delta <= step - 1 &&
                x + g[-(i - delta)] >= n) {
                (void)from;
                compare_part(m, a0, a0 + x, b0, b0 + y);
                compare_part(m, a0 + x, a1, b0 + y, b1);
                return;
            }
        }
        for (long i = -step; i <= step; i += 2) {
            long x = i == -step || (i != step && g[i - 1] < g[i + 1]) ? g[i + 1] : g[i - 1] + 1,
                 y = x - i;
            while (x < n && y < k && x >= 0 && y >= 0 && m->a[a1 - 1 - x] == m->b[b1 - 1 - y]) {
                x++;
                y++;
            }
            g[i] = x;
            if (!(delta & 1) && -(i - delta) >= -step && -(i - delta) <= step &&
                x + f[-(i - delta)] >= n) {
                compare_part(m, a0, a1 - x, b0, b1 - y);
                compare_part(m, a1 - x, a1, b1 - y, b1);
                return;
            }
        }
    }
    memset(m->da + a0, 1, (size_t)n);
    memset(m->db + b0, 1, (size_t)k);
}

static void compare_part(struct myers *m, long a0, long a1, long b0, long b1) {
    while (a0 < a1 && b0 < b1 && m->a[a0] == m->b[b0]) {
        a0++;
        b0++;
    }
    while (a0 < a1 && b0 < b1 && m->a[a1 - 1] == m->b[b1 - 1]) {
        a1--;
        b1--;
    }
    if (a0 == a1 || b0 == b1) {
        memset(m->da + a0, 1, (size_t)(a1 - a0));
        memset(m->db + b0, 1, (size_t)(b1 - b0));
        return;
    }
    halve(m, a0, a1, b0, b1);
}

// Runs of changes slide down as far as they can, as GNU's do
static void slide(const long *ids, bool *mine, long n, const bool *other, long m) {
    long i = 0, k = 0;
    for (;;) {
        while (i < n && !mine[i]) {
            while (k < m && other[k]) {
                k++;
            }
            i++;
            k++;
        }
        if (i >= n) {
            return;
        }
        long start = i;
        while (i < n && mine[i]) {
            i++;
        }
        long size, last_meeting;
        do {
            size = i - start;
            while (start > 0 && !mine[start - 1] && ids[start - 1] == ids[i - 1] && start > 0) {
                mine[--start] = true;
                mine[--i] = false;
                while (start > 0 && mine[start - 1]) {
                    start--;
                }
                k--;
                while (k > 0 && other[k - 1]) {
                    k--;
                }
            }
            last_meeting = k > 0 && k <= m && (k > 0 && other[k - 1]) ? i : -1;
            long kk = k;
            while (kk < m && other[kk]) {
                kk++;
            }
            if (kk != k) {
                last_meeting = i;
                k = kk;
            }
            while (i < n && !mine[i] && ids[start] == ids[i]) {
                mine[start++] = false;
                mine[i++] = true;
                while (i < n && mine[i]) {
                    i++;
                }
                k++;
                if (k < m && other[k]) {
                    last_meeting = i;
                    while (k < m && other[k]) {
                        k++;
                    }
                }
            }
        } while (size != i - start);
        if (last_meeting >= 0) {
            while (i > last_meeting && start > 0 && ids[start - 1] == ids[i - 1] &&
                   !mine[start - 1]) {
                mine[--start] = true;
                mine[--i] = false;
                k--;
                while (k > 0 && other[k - 1]) {
                    k--;
                }
            }
        }
    }
}

void diff_compare(struct side *a, struct side *b) {
    number_lines(a, b);
    size_t room = (a->n + b->n + 3) * 2;
    struct myers m = {a->ids,
                      b->ids,
                      a->differs,
                      b->differs,
                      tool_alloc(room * sizeof(long)),
                      tool_alloc(room * sizeof(long)),
                      (long)(a->n + b->n + 2),
                      40000};
    memset(m.forward, 0, room * sizeof(long));
    memset(m.backward, 0, room * sizeof(long));
    compare_part(&m, 0, (long)a->n, 0, (long)b->n);
    free(m.forward);
    free(m.backward);
    slide(a->ids, a->differs, (long)a->n, b->differs, (long)b->n);
    slide(b->ids, b->differs, (long)b->n, a->differs, (long)a->n);
}
