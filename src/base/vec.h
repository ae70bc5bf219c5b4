/* base/vec.h: a typed growing array.  BX_VEC(struct foo) foos = {0};  bx_vec_push(&foos, foo);  bx_vec_free(&foos);
 * Items are plain memory: what they point to is the user's to free. */
#ifndef BX_BASE_VEC_H
#define BX_BASE_VEC_H

#include "base/base.h"

#define BX_VEC(type)                                                                                                   \
    struct {                                                                                                           \
        type *p;                                                                                                       \
        size_t n, cap;                                                                                                 \
    }
#define bx_vec_push(v, item)                                                                                           \
    do {                                                                                                               \
        if ((v)->n == (v)->cap) {                                                                                      \
            (v)->cap = (v)->cap ? (v)->cap * 2 : 8;                                                                    \
            (v)->p = bx_realloc_array((v)->p, (v)->cap, sizeof *(v)->p);                                               \
        }                                                                                                              \
        (v)->p[(v)->n++] = (item);                                                                                     \
    } while (0)
#define bx_vec_remove(v, i) /* keeps the order */                                                                      \
    do {                                                                                                               \
        size_t i_ = (i);                                                                                               \
        memmove(&(v)->p[i_], &(v)->p[i_ + 1], ((v)->n - i_ - 1) * sizeof *(v)->p);                                     \
        (v)->n--;                                                                                                      \
    } while (0)
#define bx_vec_free(v)                                                                                                 \
    do {                                                                                                               \
        bx_free((v)->p);                                                                                               \
        (v)->p = NULL;                                                                                                 \
        (v)->n = (v)->cap = 0;                                                                                         \
    } while (0)

#endif
