#include "finder.h"

static unsigned char lower(unsigned char c) {
    return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

unsigned char bx_finder_rarity(unsigned char c) {
    // most common first, as they are in source text
    static const char order[] =
        " etaoinsrldcu_pmfhgb()\n,.=;-yvk/"
        "w\"*x:0123\t'>I{}q&#SETCAN[]<jzRPDOLMF4567899+BUG|!HV\\?W@$K%XYJQZ~^`";
    for (size_t i = 0; order[i]; i++) {
        if ((unsigned char)order[i] == c) {
            return (unsigned char)(i * 2);
        }
    }
    return 255;
}

static bool fits(const struct bx_finder *f, const struct bx_needle *needle, const char *at) {
    if (!f->is_caseless) {
        return memcmp(at, needle->text, needle->len) == 0;
    }
    for (size_t i = 0; i < needle->len; i++) {
        if (lower((unsigned char)at[i]) != (unsigned char)needle->text[i]) {
            return false;
        }
    }
    return true;
}

static void init_one(struct bx_finder *f) {
    const struct bx_needle *needle = &f->needles[0];
    unsigned best = 0, next = 0;
    f->first = 0;
    f->second = needle->len - 1;
    for (size_t i = 0; i < needle->len; i++) {
        unsigned rarity = bx_finder_rarity((unsigned char)needle->text[i]) + 1U;
        if (rarity > best) {
            f->second = best ? f->first : f->second;
            next = best;
            f->first = i;
            best = rarity;
        } else if (rarity > next) {
            f->second = i;
            next = rarity;
        }
    }
    const size_t offsets[2] = {f->first, f->second};
    for (size_t i = 0; i < 2; i++) {
        unsigned char c = (unsigned char)needle->text[offsets[i]];
        bool has_case = f->is_caseless && c >= 'a' && c <= 'z';
        f->bytes[i] = bx_lanes_fill(c);
        f->cases[i] = bx_lanes_fill(has_case ? 0x20 : 0);
    }
}

static void init_several(struct bx_finder *f) {
    unsigned char low[3][16] = {{0}}, high[3][16] = {{0}};
    for (size_t i = 0; i < f->n; i++) {
        // needles that begin alike go into one group: it is looked at less often
        size_t group =
            ((unsigned char)f->needles[i].text[0] + (unsigned char)f->needles[i].text[1] * 3U) & 7;
        f->groups[group][f->group_sizes[group]++] = (unsigned char)i;
        for (size_t column = 0; column < f->n_columns; column++) {
            unsigned char c = (unsigned char)f->needles[i].text[column];
            unsigned char other = f->is_caseless && c >= 'a' && c <= 'z' ? c & 0xDF : c;
            low[column][c & 15] |= (unsigned char)(1U << group);
            high[column][c >> 4] |= (unsigned char)(1U << group);
            low[column][other & 15] |= (unsigned char)(1U << group);
            high[column][other >> 4] |= (unsigned char)(1U << group);
        }
    }
    for (size_t column = 0; column < f->n_columns; column++) {
        f->low[column] = bx_lanes_load((const char *)low[column]);
        f->high[column] = bx_lanes_load((const char *)high[column]);
    }
}

void bx_finder_init(struct bx_finder *f, const struct bx_needle *needles, size_t n,
                    bool is_caseless) {
    *f = (struct bx_finder){.n = n, .is_caseless = is_caseless, .shortest = (size_t)-1};
    for (size_t i = 0; i < n; i++) {
        f->needles[i] = needles[i];
        f->shortest = needles[i].len < f->shortest ? needles[i].len : f->shortest;
    }
    f->n_columns = f->shortest < 3 ? 2 : 3;
    if (n == 1) {
        init_one(f);
    } else {
        init_several(f);
    }
}

// The needle that stands at a place, the first in the list; NULL for none.
static const struct bx_needle *needle_at(const struct bx_finder *f, const char *at, const char *end,
                                         unsigned groups) {
    const struct bx_needle *best = NULL;
    for (; groups; groups &= groups - 1) {
        size_t group = (size_t)__builtin_ctz(groups);
        for (size_t i = 0; i < f->group_sizes[group]; i++) {
            const struct bx_needle *needle = &f->needles[f->groups[group][i]];
            if ((size_t)(end - at) >= needle->len && (!best || needle < best) &&
                fits(f, needle, at)) {
                best = needle;
            }
        }
    }
    return best;
}

static const char *slowly(const struct bx_finder *f, const char *at, const char *end,
                          size_t *ret_len) {
    for (; at < end; at++) {
        if (f->n == 1 && (size_t)(end - at) >= f->shortest && fits(f, &f->needles[0], at)) {
            *ret_len = f->shortest;
            return at;
        }
        const struct bx_needle *needle = f->n > 1 ? needle_at(f, at, end, 255) : NULL;
        if (needle) {
            *ret_len = needle->len;
            return at;
        }
    }
    return NULL;
}

static inline bx_lanes one_hits(const struct bx_finder *f, const char *at, bool is_caseless) {
    bx_lanes a = bx_lanes_load(at + f->first), b = bx_lanes_load(at + f->second);
    if (is_caseless) {
        a = bx_lanes_or(a, f->cases[0]);
        b = bx_lanes_or(b, f->cases[1]);
    }
    return bx_lanes_and(bx_lanes_equal(a, f->bytes[0]), bx_lanes_equal(b, f->bytes[1]));
}

static inline const char *find_one(const struct bx_finder *f, const char *at, const char *end,
                                   bool is_caseless) {
    size_t len = f->needles[0].len;
    // while sixty-four places and the needle behind the last of them are inside
    for (; (size_t)(end - at) >= 64 + len; at += 64) {
        bx_lanes hits[4];
        for (int i = 0; i < 4; i++) {
            hits[i] = one_hits(f, at + 16 * i, is_caseless);
        }
        if (!bx_lanes_any(
                bx_lanes_or(bx_lanes_or(hits[0], hits[1]), bx_lanes_or(hits[2], hits[3])))) {
            continue;
        }
        for (int i = 0; i < 4; i++) {
            for (unsigned bits = bx_lanes_bits(hits[i]); bits; bits &= bits - 1) {
                const char *place = at + 16 * i + __builtin_ctz(bits);
                if (fits(f, &f->needles[0], place)) {
                    return place;
                }
            }
        }
    }
    for (; (size_t)(end - at) >= 16 + len; at += 16) {
        for (unsigned bits = bx_lanes_bits(one_hits(f, at, is_caseless)); bits; bits &= bits - 1) {
            const char *place = at + __builtin_ctz(bits);
            if (fits(f, &f->needles[0], place)) {
                return place;
            }
        }
    }
    size_t ignored;
    return slowly(f, at, end, &ignored);
}

static inline bx_lanes several_hits(const struct bx_finder *f, const char *at, size_t n_columns) {
    const bx_lanes nibble = bx_lanes_fill(15);
    bx_lanes hits = bx_lanes_fill(255);
    for (size_t column = 0; column < n_columns; column++) {
        bx_lanes bytes = bx_lanes_load(at + column);
        hits = bx_lanes_and(
            hits, bx_lanes_and(bx_lanes_look_up(f->low[column], bx_lanes_and(bytes, nibble)),
                               bx_lanes_look_up(f->high[column], bx_lanes_high4(bytes))));
    }
    return hits;
}

static inline const char *find_several(const struct bx_finder *f, const char *at, const char *end,
                                       size_t n_columns, size_t *ret_len) {
    for (; (size_t)(end - at) >= 16 + 2; at += 16) {
        bx_lanes hits = several_hits(f, at, n_columns);
        if (!bx_lanes_any(hits)) {
            continue;
        }
        unsigned char groups[16];
        memcpy(groups, &hits, sizeof groups);
        for (unsigned bits = bx_lanes_bits(hits); bits; bits &= bits - 1) {
            unsigned lane = (unsigned)__builtin_ctz(bits);
            const struct bx_needle *needle = needle_at(f, at + lane, end, groups[lane]);
            if (needle) {
                *ret_len = needle->len;
                return at + lane;
            }
        }
    }
    return slowly(f, at, end, ret_len);
}

const char *bx_finder_find(const struct bx_finder *f, const char *at, const char *end,
                           size_t *ret_len) {
    if (f->n > 1) {
        return f->n_columns == 2 ? find_several(f, at, end, 2, ret_len)
                                 : find_several(f, at, end, 3, ret_len);
    }
    *ret_len = f->needles[0].len;
    return f->is_caseless ? find_one(f, at, end, true) : find_one(f, at, end, false);
}
