/* base/base.h: what every file of the product includes first.
 *
 * Any thread, any process. It brings the C library headers that are used everywhere, the error type, the string
 * view and the growing buffer, and then makes the dangerous part of the C library a compile error. */
#ifndef BX_BASE_BASE_H
#define BX_BASE_BASE_H

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BX_ARRAY_LEN(a)  (sizeof(a) / sizeof((a)[0]))
#define BX_PRINTF(f, a)  __attribute__((format(printf, f, a)))
#define BX_MIN(a, b)     ((a) < (b) ? (a) : (b))
#define BX_MAX(a, b)     ((a) > (b) ? (a) : (b))
#define BX_KIB           ((size_t)1024)
#define BX_MIB           ((size_t)1024 * 1024)

/* Scope-bound clean-up, the one way to free on every path:
 *     bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
 *     …
 *     *ret_doc = bx_steal(&doc);
 * BX_DEFINE_AUTO(type, type_free) makes type_freep for pointers; for structs in place write the function by hand. */
#define bx_auto(fn) __attribute__((cleanup(fn)))
#define BX_DEFINE_AUTO(type, fn)                                                                                       \
    static inline void fn##p(type **p_) {                                                                              \
        fn(*p_);                                                                                                       \
    }
#define bx_steal(pp)                                                                                                   \
    ({                                                                                                                 \
        __typeof__(*(pp)) v_ = *(pp);                                                                                  \
        *(pp) = NULL;                                                                                                  \
        v_;                                                                                                            \
    })

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "base/buf.h"
#include "base/banned.h"

#endif
