#include "common/scout.h"

#include "common/buf.h"
#include "common/literals.h"

enum { FOUND_BEFORE_JUDGED = 1000, RARE = 120 };

// One letter is in nearly every line: then looking at each byte once is cheaper than finding it and
// asking PCRE2.
static bool is_worth_finding(const struct bx_literals *literals) {
    for (size_t i = 0; i < literals->n; i++) {
        if (literals->needles[i].len == 1 &&
            bx_finder_rarity((unsigned char)literals->needles[i].text[0]) < RARE) {
            return false;
        }
    }
    return literals->n > 0;
}

void bx_scout_init(struct bx_scout *s, const char *pattern, size_t len, bool is_caseless,
                   enum bx_regex_text text, bool keeps_cr) {
    struct bx_literals *literals = bx_alloc(sizeof *literals);
    *s = (struct bx_scout){.regex = bx_regex_parse(pattern, len, is_caseless, text)};
    s->regex.keeps_cr = keeps_cr;
    bx_literals_find(&s->regex, literals);
    if (literals->is_all || is_worth_finding(literals)) {
        s->finder = bx_alloc(sizeof *s->finder);
        bx_finder_init(s->finder, literals->needles, literals->n, s->regex.is_caseless);
        s->is_finder_sure = literals->is_all;
    }
}

void bx_scout_init_plain(struct bx_scout *s, const char *text, size_t len, bool is_caseless) {
    struct bx_needle needle = {bx_strndup(text, len), len};
    for (char *c = (char *)(uintptr_t)needle.text; is_caseless && *c; c++) {
        *c = *c >= 'A' && *c <= 'Z' ? *c | 0x20 : *c;
    }
    *s = (struct bx_scout){.finder = bx_alloc(sizeof *s->finder), .is_finder_sure = true};
    bx_finder_init(s->finder, &needle, 1, is_caseless);
}

// The machine is made when there is no text to look for, or one that is everywhere.
static struct bx_dfa *machine(struct bx_scout *s) {
    if (!s->has_tried_dfa && s->regex.root) {
        s->dfa = bx_dfa_new(&s->regex);
    }
    s->has_tried_dfa = true;
    return s->dfa;
}

const char *bx_scout_next(struct bx_scout *s, const char *at, const char *end, bool *ret_is_sure) {
    size_t len;
    *ret_is_sure = false;
    if (s->finder) {
        *ret_is_sure = s->is_finder_sure;
        return bx_finder_find(s->finder, at, end, &len);
    }
    if (machine(s)) {
        *ret_is_sure = bx_dfa_is_sure(s->dfa);
        return bx_dfa_find(s->dfa, at, end);
    }
    return at < end ? at : NULL;
}

bool bx_scout_may_match(struct bx_scout *s, const char *line, const char *end, bool *ret_is_sure) {
    *ret_is_sure = false;
    if (!s->finder || !machine(s)) {
        return true;
    }
    s->n_found++;
    s->n_bytes += (size_t)(end - line);
    *ret_is_sure = bx_dfa_is_sure(s->dfa);
    return bx_dfa_find(s->dfa, line, end) != NULL;
}

void bx_scout_passed(struct bx_scout *s, size_t n_bytes) {
    s->n_passed += n_bytes;
    if (s->n_found > FOUND_BEFORE_JUDGED && !s->is_finder_sure && s->n_bytes > s->n_passed / 3 &&
        s->dfa) {
        s->finder = NULL; // what it finds is nearly everywhere
    }
}
