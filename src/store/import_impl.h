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
    struct bx_map *ids; /* of sessions that the document has or names -> their ids here */
    BX_VEC(const struct bx_val *) executors; /* of the document, those that can be taken; managers first */
    const char *id;                          /* that the session gets, or NULL: a new one */
    bool is_executor;                        /* with this parent */
    struct bx_session_parent parent;
};

/* Counts one thing that is not carried over; said once, with the number. */
void bx_import_lost(struct bx_import *im, const char *what);
/* Begins the session: title, model, time and mode are the document's where they make sense. */
int bx_import_begin(struct bx_import *im, const struct bx_val *header, struct bx_err *err);
/* An object of events of ours, checked. */
void bx_import_event(struct bx_import *im, const struct bx_val *event);
/* The id here of a session that the document has, or of one that it must not lead to. */
const char *bx_import_id(struct bx_import *im, struct bx_str id);
/* import_executors.c: which executors of an export come along, before its own session is written … */
void bx_import_plan_executors(struct bx_import *im, const struct bx_val *root);
/* … and their sessions, after it. */
void bx_import_executors(struct bx_import *im);
/* import_rust.c: the session file of BoxAgnts in Rust. */
int bx_import_rust(struct bx_import *im, const struct bx_val *root, struct bx_err *err);

#endif
