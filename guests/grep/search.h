#ifndef BX_GUEST_SEARCH_H
#define BX_GUEST_SEARCH_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "matcher.h"

enum bx_search_mode {
    BX_SEARCH_FILES,
    BX_SEARCH_CONTENT,
    BX_SEARCH_COUNT,
};

/*
 * Searching files one after the other, and what was found in all of them. A file is read in pieces
 * that end at line ends; memory does not grow with its size (but for multiline patterns and for
 * lines without an end, both up to 16 MiB).
 */
struct bx_search {
    struct bx_matcher *matcher;
    enum bx_search_mode mode;
    long long before, after; /* lines of context */
    bool has_numbers;
    size_t max_lines;   /* matching lines shown */
    struct bx_buf *out; /* content lines */

    size_t n_lines; /* matching lines of all files */
    size_t n_shown; /* of those */
    size_t n_files; /* files with a match */
    size_t n_searched;
    size_t n_binary; /* skipped */
    size_t n_unreadable;
    size_t n_too_large; /* for multiline */
    size_t n_costly;    /* lines given up */
    char *first_costly; /* "path:line" */
    bool is_full;       /* nothing more is shown */
    bool is_done;       /* nothing more is searched, either */
    unsigned long long n_bytes_after_full;
};

/* Search one file; returns how many of its lines match (in FILES mode no more than one is looked
 * for). */
size_t bx_search_file(struct bx_search *search, const char *path);
/* The same for a file whose whole content is in memory already. */
size_t bx_search_bytes(struct bx_search *search, const char *path, char *bytes, size_t len);

#endif
