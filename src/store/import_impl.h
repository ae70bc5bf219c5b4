/* store/import_impl.h: what the readers of foreign documents share. Not for other rooms. */
#ifndef BX_STORE_IMPORT_IMPL_H
#define BX_STORE_IMPORT_IMPL_H

#include "store/ends.h"
#include "store/import.h"

struct bx_import {
    struct bx_session_writer w;
    struct bx_ends ends;
    struct bx_warnings *warnings;
    const char *root;
    struct bx_map *counts; /* what stayed behind -> struct, for one warning a kind */
    struct bx_store *store;
    bool begun;
};

/* Counts one thing that is not carried over; said once, with the number. */
void bx_import_lost(struct bx_import *im, const char *what);
/* Begins the session: title, model, time and mode are the document's where they make sense. */
int bx_import_begin(struct bx_import *im, const struct bx_val *header, struct bx_err *err);
/* An object of events of ours, checked. */
void bx_import_event(struct bx_import *im, const struct bx_val *event);
/* rust.c: the session file of BoxAgnts in Rust. */
int bx_import_rust(struct bx_import *im, const struct bx_val *root, struct bx_err *err);

#endif
