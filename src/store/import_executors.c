/* The executors of an export: sessions of their own again, below the one that came with them. What
 * they were allowed stays behind like all permissions, so that they can be read, and nothing can be
 * run in them. */
#include "base/id.h"
#include "store/import_impl.h"

#define EXECUTORS_MAX 500
#define NOT_WHOLE     "executors that are not whole, or whose manager is not there"

void bx_import_plan_executors(struct bx_import *im, const struct bx_val *root) {
    struct bx_str own = bx_val_get_str(bx_val_get(root, "header"), "id");
    im->id = bx_id_is_valid(own) ? bx_import_id(im, own) : NULL;
    bx_val_foreach_item (bx_val_get(root, "executors"), v) {
        const struct bx_val *header = bx_val_get(v, "header");
        struct bx_str id = bx_val_get_str(header, "id"),
                      manager = bx_val_get_str(bx_val_get(header, "parent"), "session");
        bool good = bx_id_is_valid(id) && bx_id_is_valid(manager) && !bx_map_get(im->ids, id) &&
                    bx_map_get(im->ids, manager) && bx_val_is(bx_val_get(v, "events"), BX_VAL_ARR);
        if (!good || im->executors.n == EXECUTORS_MAX) {
            bx_import_lost(im, good ? "executors: at most 500 come along" : NOT_WHOLE);
            continue;
        }
        bx_import_id(im, id);
        bx_vec_push(&im->executors, v);
    }
}

static void take(char *to, size_t size, const struct bx_val *parent, const char *key) {
    struct bx_str s = bx_val_get_str(parent, key);
    if (s.n && s.n < size)
        memcpy(to, s.p, s.n);
}

static int import_one(struct bx_import *one, const struct bx_val *v) {
    const struct bx_val *header = bx_val_get(v, "header"), *parent = bx_val_get(header, "parent");
    memcpy(one->parent.session, bx_import_id(one, bx_val_get_str(parent, "session")),
           sizeof one->parent.session);
    take(one->parent.run, sizeof one->parent.run, parent, "run");
    take(one->parent.call, sizeof one->parent.call, parent, "call");
    int rc = bx_import_begin(one, header, NULL);
    if (rc < 0)
        return rc;
    bx_val_foreach_item (bx_val_get(v, "events"), event)
        bx_import_event(one, event);
    bx_ends_close(&one->ends, &one->w,
                  "No result: the document that this session was imported from does not have one.",
                  "interrupted");
    bx_auto(bx_session_unrefp) struct bx_session *made = NULL;
    return bx_session_writer_commit(&one->w, &made, NULL);
}

void bx_import_executors(struct bx_import *im) {
    for (size_t i = 0; i < im->executors.n; i++) {
        const struct bx_val *v = im->executors.p[i];
        struct bx_import one = {.store = im->store,
                                .root = im->root,
                                .warnings = im->warnings,
                                .counts = im->counts,
                                .ids = im->ids,
                                .is_executor = true};
        one.id = bx_import_id(im, bx_val_get_str(bx_val_get(v, "header"), "id"));
        bx_ends_init(&one.ends);
        if (import_one(&one, v) < 0)
            bx_import_lost(im, "executors that could not be written");
        if (one.begun)
            bx_session_writer_deinit(&one.w);
        bx_ends_deinit(&one.ends);
    }
}
