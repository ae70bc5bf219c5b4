#ifndef BX_GUEST_NEWEST_H
#define BX_GUEST_NEWEST_H

#include <stdbool.h>
#include <stddef.h>

/* The n newest of any number of paths, in memory for n. */
struct bx_newest {
    struct bx_newest_path *heap; /* the oldest on top */
    size_t n, max;
    size_t n_seen;
};

struct bx_newest_path {
    char *path;
    long long mtime_ns;
};

void bx_newest_init(struct bx_newest *newest, size_t max);

/* Offer one (its time is looked up; a copy is kept if it is new enough). */
void bx_newest_add(struct bx_newest *newest, const char *path);

/* Put the heap into order: newest first, by name where the times are the same. Nothing can be added
 * after. */
void bx_newest_sort(struct bx_newest *newest);

#endif
