#include "store/retention.h"

#include "base/file.h"
#include "base/id.h"
#include "base/vec.h"
#include "store/internal.h"
#include "store/place.h"

#define DAY_MS    (INT64_C(24) * 60 * 60 * 1000)
#define DAYS_MAX  36500
#define DEPTH_MAX 64

/* ---- settings ---- */

static int read_days(const struct bx_val *v, const char *name, int64_t *ret, struct bx_err *err) {
    const struct bx_val *days = bx_val_get(v, name);
    *ret = -1;
    if (!days || bx_val_is(days, BX_VAL_NULL))
        return 0;
    *ret = bx_val_int(days, 0);
    if (!bx_val_is(days, BX_VAL_INT) || *ret < 1 || *ret > DAYS_MAX)
        return bx_fail(
            err, BX_ERR_INVALID,
            "\"retention\": \"%s\" must be a number of days from 1 to %d, or null for never", name,
            DAYS_MAX);
    return 0;
}

int bx_retention_read(const struct bx_val *settings, struct bx_retention *ret, struct bx_err *err) {
    const struct bx_val *v = bx_val_get(settings, "retention");
    *ret = (struct bx_retention){-1, -1};
    if (!v || bx_val_is(v, BX_VAL_NULL))
        return 0;
    if (!bx_val_is(v, BX_VAL_OBJ))
        return bx_fail(
            err, BX_ERR_INVALID,
            "\"retention\" must be an object with archive_after_days and delete_after_days");
    bx_val_foreach_member (v, key, value) {
        (void)value;
        if (!bx_str_eqz(key, "archive_after_days") && !bx_str_eqz(key, "delete_after_days"))
            return bx_fail(err, BX_ERR_INVALID,
                           "\"retention\" has no \"%.60s\": archive_after_days and "
                           "delete_after_days are known",
                           key.p);
    }
    int rc = read_days(v, "archive_after_days", &ret->archive_after_days, err);
    return rc < 0 ? rc : read_days(v, "delete_after_days", &ret->delete_after_days, err);
}

/* ---- what would go ---- */

/* One row of the list, and what of its executors counts for it. */
struct node {
    int64_t last_ms;
    bool kept; /* pinned or at work */
    bool child;
};

/* Rows are newest first, that is, sorted by id from the last to the first. */
static size_t find(const struct bx_session_list *l, const char *id) {
    size_t lo = 0, hi = l->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = memcmp(l->rows[mid].id, id, BX_ID_LEN);
        if (c == 0)
            return mid;
        if (c > 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return SIZE_MAX;
}

static size_t root_of(const struct bx_session_list *l, size_t i) {
    for (int depth = 0; depth < DEPTH_MAX && l->rows[i].parent.session[0]; depth++) {
        size_t parent = find(l, l->rows[i].parent.session);
        if (parent == SIZE_MAX)
            break; /* an orphan is its own root */
        i = parent;
    }
    return i;
}

static void look_at_trees(const struct bx_session_list *l, struct node *nodes) {
    for (size_t i = 0; i < l->n; i++) {
        size_t root = root_of(l, i);
        nodes[i].child = root != i;
        nodes[root].last_ms = BX_MAX(nodes[root].last_ms, l->rows[i].updated_at_ms);
        nodes[root].kept = nodes[root].kept || l->rows[i].pinned || l->rows[i].open_run;
    }
}

struct rows {
    BX_VEC(struct bx_session_row) rows;
    BX_VEC(int) from;
};

static void move_row(struct rows *to, struct bx_session_row *row, int from) {
    bx_vec_push(&to->rows, *row);
    bx_vec_push(&to->from, from);
    memset(row, 0, sizeof *row); /* its strings moved */
}

static bool is_older(int64_t since_ms, int64_t days, int64_t now_ms) {
    return days > 0 && since_ms < now_ms - days * DAY_MS;
}

static int plan_list(struct bx_store *s, const struct bx_retention *r, int64_t now_ms,
                     struct rows *archive, struct rows *remove, struct bx_err *err) {
    struct bx_session_list all;
    int rc = bx_store_list(s, &(struct bx_session_filter){.before = NULL}, SIZE_MAX, &all, err);
    if (rc < 0)
        return rc;
    struct node *nodes = bx_alloc((all.n + 1) * sizeof *nodes);
    memset(nodes, 0, (all.n + 1) * sizeof *nodes);
    look_at_trees(&all, nodes);
    for (size_t i = 0; i < all.n; i++) {
        if (nodes[i].child || nodes[i].kept)
            continue;
        if (is_older(nodes[i].last_ms, r->delete_after_days, now_ms))
            move_row(remove, &all.rows[i], BX_PLACE_SESSIONS);
        else if (is_older(nodes[i].last_ms, r->archive_after_days, now_ms))
            move_row(archive, &all.rows[i], BX_PLACE_ARCHIVE);
    }
    bx_free(nodes);
    bx_session_list_deinit(&all);
    return 0;
}

static int plan_place(struct bx_store *s, enum bx_place place, const struct bx_retention *r,
                      int64_t now_ms, struct rows *remove, struct bx_err *err) {
    struct bx_session_list old;
    int rc = bx_store_place_list(s, place, now_ms - r->delete_after_days * DAY_MS, &old, err);
    for (size_t i = 0; rc == 0 && i < old.n; i++) {
        /* an executor goes with its manager, when that one does */
        if (!old.rows[i].pinned && !bx_store_place_has(s, place, old.rows[i].parent.session))
            move_row(remove, &old.rows[i], place);
    }
    if (rc == 0)
        bx_session_list_deinit(&old);
    return rc;
}

static struct bx_session_list list_of(struct rows *rows) {
    return (struct bx_session_list){.rows = rows->rows.p, .n = rows->rows.n};
}

void bx_retention_plan_deinit(struct bx_retention_plan *p) {
    bx_session_list_deinit(&p->archive);
    bx_session_list_deinit(&p->remove);
    bx_free(p->remove_from);
    p->remove_from = NULL;
}

int bx_retention_plan(struct bx_store *s, const struct bx_retention *r, int64_t now_ms,
                      struct bx_retention_plan *ret, struct bx_err *err) {
    struct rows archive = {.rows = {0}}, remove = {.rows = {0}};
    int rc = 0;
    *ret = (struct bx_retention_plan){.remove_from = NULL};
    if (r->archive_after_days > 0 || r->delete_after_days > 0)
        rc = plan_list(s, r, now_ms, &archive, &remove, err);
    if (rc == 0 && r->delete_after_days > 0)
        rc = plan_place(s, BX_PLACE_ARCHIVE, r, now_ms, &remove, err);
    if (rc == 0 && r->delete_after_days > 0)
        rc = plan_place(s, BX_PLACE_TRASH, r, now_ms, &remove, err);
    ret->archive = list_of(&archive);
    ret->remove = list_of(&remove);
    ret->remove_from = remove.from.p;
    bx_vec_free(&archive.from);
    if (rc < 0)
        bx_retention_plan_deinit(ret);
    return rc;
}

/* ---- doing it ---- */

static int remove_one(struct bx_store *s, const char *id, enum bx_place from) {
    if (from != BX_PLACE_SESSIONS)
        return bx_store_purge(s, from, id, NULL);
    int rc = bx_store_trash(s, id, NULL); /* refuses one that has begun to work meanwhile */
    return rc < 0 ? rc : bx_store_purge(s, BX_PLACE_TRASH, id, NULL);
}

int bx_retention_apply(struct bx_store *s, const struct bx_retention *r, int64_t now_ms,
                       struct bx_cancel *cancel, struct bx_retention_done *ret,
                       struct bx_err *err) {
    struct bx_retention_plan plan;
    *ret = (struct bx_retention_done){0};
    int rc = bx_retention_plan(s, r, now_ms, &plan, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < plan.archive.n && !bx_cancel_fired(cancel); i++) {
        bool done = bx_store_archive(s, plan.archive.rows[i].id, NULL) == 0;
        ret->archived += done;
        ret->stayed += !done;
    }
    for (size_t i = 0; i < plan.remove.n && !bx_cancel_fired(cancel); i++) {
        bool done = remove_one(s, plan.remove.rows[i].id, (enum bx_place)plan.remove_from[i]) == 0;
        ret->removed += done;
        ret->stayed += !done;
    }
    bx_retention_plan_deinit(&plan);
    return 0;
}
