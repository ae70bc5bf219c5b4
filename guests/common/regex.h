#ifndef BX_GUEST_REGEX_H
#define BX_GUEST_REGEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A pattern as a tree, for finding quickly where it may match. PCRE2 has the last word: the tree may take in more than the
 * pattern (is_exact says whether it does), never less. Within one line: a line end is no part of any set.
 */
enum bx_node_kind {
    BX_NODE_EMPTY,
    BX_NODE_SET,    /* one byte of a set */
    BX_NODE_CAT,    /* one after the other */
    BX_NODE_ALT,    /* one of them */
    BX_NODE_REPEAT, /* the child, min to max times (max < 0: without end) */
    BX_NODE_BEGIN,  /* the start of the line */
    BX_NODE_END,    /* its end, or before a carriage return there */
};

struct bx_node {
    enum bx_node_kind kind;
    uint32_t set[8];
    int min, max;
    struct bx_node *first, *next; /* children; the next of the same parent */
};

struct bx_regex {
    struct bx_node *root; /* NULL: the pattern has something that this does not know */
    bool is_exact;
    bool is_caseless; /* of letters in sets both cases are there */
    bool keeps_cr;    /* the caller's: a carriage return before a line end is part of the line, and no end */
};

/* What the pattern is looked for in, and how PCRE2 sees it: each byte by itself; PCRE2_UTF; PCRE2_UCP too; bytes of which none
 * is beyond ASCII. */
enum bx_regex_text { BX_TEXT_BYTES, BX_TEXT_UTF, BX_TEXT_UCP, BX_TEXT_ASCII };

/* The pattern must be one that PCRE2 has compiled. Memory is kept until the program ends. */
struct bx_regex bx_regex_parse(const char *pattern, size_t len, bool is_caseless, enum bx_regex_text text);

static inline bool bx_set_has(const uint32_t *set, unsigned byte) {
    return set[byte >> 5] >> (byte & 31) & 1;
}

#endif
