// sed_replace.c - sed: s and y
#include "programs/sed.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct casing {
    char lasting, once; // U or L; u or l
};

static void add_cased(struct tool_buf *out, const char *s, size_t n, struct casing *k) {
    for (size_t i = 0; i < n; i++) {
        char c = s[i];
        char how = k->once ? k->once : k->lasting;
        k->once = 0;
        c = how == 'U' || how == 'u' ? (char)toupper((unsigned char)c)
            : how                    ? (char)tolower((unsigned char)c)
                                     : c;
        tool_putc(out, c);
    }
}

static void add_replacement(struct tool_buf *out, const struct sed_command *c,
                            const struct regex_match *m) {
    struct casing k = {0};
    for (size_t i = 0; i < c->n_parts; i++) {
        const struct sed_part *part = &c->parts[i];
        if (part->change == 'E') {
            k.lasting = 0;
            k.once = 0;
        } else if (part->change == 'U' || part->change == 'L') {
            k.lasting = part->change;
            k.once = 0;
        } else if (part->change) {
            k.once = part->change;
        }
        if (part->text.n) {
            add_cased(out, part->text.p, part->text.n, &k);
        }
        if (part->group >= 0 && m->start[part->group] != (size_t)-1) {
            add_cased(out, sed.space.p + m->start[part->group],
                      m->end[part->group] - m->start[part->group], &k);
        }
    }
}

struct regex *sed_use(struct regex *re) {
    if (!re && !sed.last_re) {
        tool_die(1, "no previous regular expression");
    }
    return sed.last_re = re ? re : sed.last_re;
}

bool sed_substitute(const struct sed_command *c) {
    static struct tool_buf made;
    struct regex *re = sed_use(c->re);
    struct regex_match m;
    size_t at = 0, copied = 0;
    long n = 0;
    bool has_any = false;
    made.n = 0;
    tool_puts(&sed.space, "");
    while (at <= sed.space.n && regex_find(re, sed.space.p, sed.space.n, at, false, &m)) {
        bool is_empty = m.end[0] == m.start[0];
        bool touches = is_empty && at && m.start[0] == copied &&
                       n; // an empty match right behind another does not count
        if (!touches) {
            n++;
            if (n >= (c->nth ? c->nth : 1)) {
                tool_put(&made, sed.space.p + copied, m.start[0] - copied);
                add_replacement(&made, c, &m);
                copied = m.end[0];
                has_any = true;
                if (!c->is_global) {
                    break;
                }
            } else {
                tool_put(&made, sed.space.p + copied, m.end[0] - copied);
                copied = m.end[0];
            }
        }
        at = m.end[0];
        if (is_empty) {
            size_t step = at < sed.space.n ? tool_char(sed.space.p + at, sed.space.n - at) : 1;
            if (at < sed.space.n) {
                tool_put(&made, sed.space.p + at, step);
                copied = at + step;
            }
            at += step;
        }
    }
    if (!has_any) {
        return false;
    }
    if (copied < sed.space.n) {
        tool_put(&made, sed.space.p + copied, sed.space.n - copied);
    }
    struct tool_buf old = sed.space;
    sed.space = made;
    made = old;
    tool_puts(&sed.space, "");
    sed.is_replaced = true;
    if (c->prints) {
        sed_put(sed.out, sed.space.p, sed.space.n);
    }
    if (c->out) {
        sed_put(c->out, sed.space.p, sed.space.n);
    }
    return true;
}

void sed_transliterate(const struct sed_command *c) {
    struct tool_buf made = {0};
    tool_puts(&made, "");
    for (size_t i = 0; i < sed.space.n;) {
        size_t len = tool_char(sed.space.p + i, sed.space.n - i);
        const char *to = NULL;
        for (const char *q = c->text, *end = q + c->text_len; q < end && !to;) {
            size_t n = strlen(q);
            const char *with = q + n + 1;
            if (n == len && !memcmp(q, sed.space.p + i, n)) {
                to = with;
            }
            q = with + strlen(with) + 1;
        }
        if (to) {
            tool_puts(&made, to);
        } else {
            tool_put(&made, sed.space.p + i, len);
        }
        i += len;
    }
    free(sed.space.p);
    sed.space = made;
}
