#include "common/finder.h"

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

// Two places, inside the shortest of the needles, where their bytes are rare: the rarest, and the
// next that is another one.
static void choose_places(struct bx_finder *f, size_t shortest) {
    unsigned best = 0, next = 0;
    f->offsets[0] = 0;
    f->offsets[1] = shortest - 1;
    for (size_t i = 0; i < shortest; i++) {
        unsigned sum = 1;
        for (size_t j = 0; j < f->n; j++) {
            sum += bx_finder_rarity((unsigned char)f->needles[j].text[i]);
        }
        if (sum > best) {
            f->offsets[1] = best ? f->offsets[0] : f->offsets[1];
            next = best;
            f->offsets[0] = i;
            best = sum;
        } else if (sum > next) {
            f->offsets[1] = i;
            next = sum;
        }
    }
}

void bx_finder_init(struct bx_finder *f, const struct bx_needle *needles, size_t n,
                    bool is_caseless) {
    size_t shortest = (size_t)-1;
    *f = (struct bx_finder){.n = n, .is_caseless = is_caseless};
    for (size_t i = 0; i < n; i++) {
        f->needles[i] = needles[i];
        shortest = needles[i].len < shortest ? needles[i].len : shortest;
        f->longest = needles[i].len > f->longest ? needles[i].len : f->longest;
    }
    choose_places(f, shortest);
    for (size_t i = 0; i < n; i++) {
        for (size_t place = 0; place < 2; place++) {
            unsigned char c = (unsigned char)needles[i].text[f->offsets[place]];
            bool has_case = is_caseless && c >= 'a' && c <= 'z';
            f->at[i][place] =
                (struct bx_finder_bytes){bx_lanes_fill(c), bx_lanes_fill(has_case ? 0x20 : 0)};
        }
    }
}

// The needle that stands at a place, the first in the list; NULL for none.
static const struct bx_needle *needle_at(const struct bx_finder *f, const char *at,
                                         const char *end) {
    for (size_t i = 0; i < f->n; i++) {
        if ((size_t)(end - at) >= f->needles[i].len && fits(f, &f->needles[i], at)) {
            return &f->needles[i];
        }
    }
    return NULL;
}

static const char *look(const struct bx_finder *f, const char *at, const char *end, unsigned bits,
                        size_t *ret_len) {
    for (; bits; bits &= bits - 1) {
        const char *place = at + __builtin_ctz(bits);
        const struct bx_needle *needle = needle_at(f, place, end);
        if (needle) {
            *ret_len = needle->len;
            return place;
        }
    }
    return NULL;
}

// Sixteen places: where one of n needles may stand. n and is_caseless are constants in each copy of
// this.
static inline __attribute__((always_inline)) bx_lanes
hits_at(const struct bx_finder *f, const char *at, size_t n, bool is_caseless) {
    bx_lanes first = bx_lanes_load(at + f->offsets[0]), second = bx_lanes_load(at + f->offsets[1]);
    bx_lanes any = bx_lanes_fill(0);
    for (size_t i = 0; i < n; i++) {
        bx_lanes a = first, b = second;
        if (is_caseless) {
            a = bx_lanes_or(a, f->at[i][0].cases);
            b = bx_lanes_or(b, f->at[i][1].cases);
        }
        any = bx_lanes_or(any, bx_lanes_and(bx_lanes_equal(a, f->at[i][0].bytes),
                                            bx_lanes_equal(b, f->at[i][1].bytes)));
    }
    return any;
}

static inline __attribute__((always_inline)) const char *find(const struct bx_finder *f,
                                                              const char *at, const char *end,
                                                              size_t n, bool is_caseless,
                                                              size_t *ret_len) {
    const char *found = NULL;
    // while sixty-four places and the needle behind the last of them are inside
    for (; (size_t)(end - at) >= 64 + f->longest; at += 64) {
        bx_lanes hits[4];
        for (int i = 0; i < 4; i++) {
            hits[i] = hits_at(f, at + 16 * i, n, is_caseless);
        }
        if (bx_lanes_any(
                bx_lanes_or(bx_lanes_or(hits[0], hits[1]), bx_lanes_or(hits[2], hits[3])))) {
            for (int i = 0; i < 4; i++) {
                if ((found = look(f, at + 16 * i, end, bx_lanes_bits(hits[i]), ret_len))) {
                    return found;
                }
            }
        }
    }
    for (; (size_t)(end - at) >= 16 + f->longest; at += 16) {
        if ((found = look(f, at, end, bx_lanes_bits(hits_at(f, at, n, is_caseless)), ret_len))) {
            return found;
        }
    }
    for (; at < end; at++) {
        if ((found = look(f, at, end, 1, ret_len))) {
            return found;
        }
    }
    return NULL;
}

const char *bx_finder_find(const struct bx_finder *f, const char *at, const char *end,
                           size_t *ret_len) {
    if (f->n == 1) {
        return f->is_caseless ? find(f, at, end, 1, true, ret_len)
                              : find(f, at, end, 1, false, ret_len);
    }
    return f->is_caseless ? find(f, at, end, f->n, true, ret_len)
                          : find(f, at, end, f->n, false, ret_len);
}
