#include "tools/registry.h"

#include "base/clock.h"
#include "base/thread.h"
#include "base/vec.h"
#include "json/schema.h"
#include "tools/box_tool.h"
#include "tools/embedded.h"
#include "tools/native.h"

#define MAX_INPUT_BYTES (64 * BX_MIB)

struct bx_registry {
    struct bx_registry_config config;
    struct bx_doc *settings;
    BX_VEC(struct bx_tool *) tools; /* by name; never changes after bx_registry_new, so no lock */
};

static const struct bx_native_spec *const natives[] = {&bx_native_sleep};

static int by_name(const void *a, const void *b) {
    return strcmp((*(struct bx_tool *const *)a)->name, (*(struct bx_tool *const *)b)->name);
}

static int add_all(struct bx_registry *r, struct bx_err *err) {
    for (size_t i = 0; i < BX_ARRAY_LEN(natives); i++)
        bx_vec_push(&r->tools, bx_native_tool_new(natives[i]));
    for (size_t i = 0; i < bx_embedded_tool_count; i++) {
        struct bx_tool *tool = NULL;
        int rc = bx_box_tool_embedded(r->config.box, &bx_embedded_tools[i], &tool, err);
        if (rc)
            return rc;
        bx_vec_push(&r->tools, tool);
    }
    qsort(r->tools.p, r->tools.n, sizeof *r->tools.p, by_name);
    return 0;
}

/* Every limit in the settings is tried now, so that a wrong one is said at the start and not at the first call. */
static int check_settings(struct bx_registry *r, struct bx_err *err) {
    const struct bx_val *limits = bx_val_get(bx_doc_root(r->settings), "limits");
    if (limits && !bx_val_is(limits, BX_VAL_OBJ))
        return bx_fail(err, BX_ERR_INVALID, "settings: \"limits\" must be an object of tool names (or \"*\")");
    bx_val_foreach_member(limits, tool, values) {
        struct bx_limits scratch = {0};
        int rc = bx_val_is(values, BX_VAL_OBJ) ? bx_limits_parse_json(&scratch, values, BX_FROM_SETTINGS, err)
                                               : bx_fail(err, BX_ERR_INVALID, "must be an object of limits");
        if (rc)
            return bx_wrap(err, rc, "settings: limits of \"" BX_STR_FMT "\"", BX_STR_ARG(tool));
    }
    return 0;
}

int bx_registry_new(const struct bx_registry_config *config, struct bx_registry **ret, struct bx_err *err) {
    bx_auto(bx_registry_freep) struct bx_registry *r = bx_new(struct bx_registry);
    r->config = *config;
    r->settings = config->settings ? bx_val_copy(config->settings) : NULL;
    r->config.settings = r->settings ? bx_doc_root(r->settings) : NULL;
    int rc = check_settings(r, err);
    if (!rc)
        rc = add_all(r, err);
    if (rc)
        return rc;
    *ret = bx_steal(&r);
    return 0;
}

void bx_registry_free(struct bx_registry *r) {
    if (!r)
        return;
    for (size_t i = 0; i < r->tools.n; i++)
        bx_tool_unref(r->tools.p[i]);
    bx_vec_free(&r->tools);
    bx_doc_free(r->settings);
    bx_free(r);
}

struct bx_tool *bx_registry_find(struct bx_registry *r, const char *name) {
    for (size_t i = 0; i < r->tools.n; i++)
        if (strcmp(r->tools.p[i]->name, name) == 0)
            return bx_tool_ref(r->tools.p[i]);
    return NULL;
}

static unsigned char fold(char c) {
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + 32 : c == '-' ? '_' : c);
}

/* Edits (insert, delete, replace) that make one name of the other, letter case and dashes aside. */
static size_t distance(const char *a, const char *b) {
    size_t row[130], n = BX_MIN(strlen(b), BX_ARRAY_LEN(row) - 1), m = BX_MIN(strlen(a), BX_ARRAY_LEN(row) - 1);
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; i <= m; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t replace = diagonal + (fold(a[i - 1]) != fold(b[j - 1]));
            diagonal = row[j];
            row[j] = BX_MIN(replace, BX_MIN(row[j], row[j - 1]) + 1);
        }
    }
    return row[n];
}

const char *bx_registry_nearest(struct bx_registry *r, const char *name) {
    const char *best = NULL;
    size_t best_distance = 1 + strlen(name) / 2;
    for (size_t i = 0; i < r->tools.n; i++) {
        const char *known = r->tools.p[i]->name;
        size_t d = distance(name, known);
        if (strlen(name) > 3 && (strcasestr(name, known) || strcasestr(known, name)))
            d = BX_MIN(d, 1); /* read_file → read */
        if (d < best_distance) {
            best_distance = d;
            best = known;
        }
    }
    return best;
}

struct bx_tool **bx_registry_all(struct bx_registry *r, size_t *ret_count) {
    struct bx_tool **all = bx_realloc_array(NULL, r->tools.n + 1, sizeof *all);
    for (size_t i = 0; i < r->tools.n; i++)
        all[i] = bx_tool_ref(r->tools.p[i]);
    all[r->tools.n] = NULL;
    *ret_count = r->tools.n;
    return all;
}

int bx_registry_load_file(struct bx_registry *r, const char *path, struct bx_tool **ret, struct bx_err *err) {
    return bx_box_tool_load(r->config.box, path, ret, err);
}

int bx_registry_limits(struct bx_registry *r, const struct bx_tool *t, const struct bx_limits *over, struct bx_limits *ret,
                       struct bx_err *err) {
    struct bx_limits limits;
    bx_limits_default(&limits);
    if (t->kind == BX_TOOL_BOX)
        bx_box_tool_wish(t, &limits);
    const struct bx_val *set = bx_val_get(r->config.settings, "limits");
    const struct bx_val *const layers[] = {bx_val_get(set, "*"), bx_val_get(set, t->name)};
    for (size_t i = 0; i < BX_ARRAY_LEN(layers); i++) {
        int rc = layers[i] ? bx_limits_parse_json(&limits, layers[i], BX_FROM_SETTINGS, err) : 0;
        if (rc)
            return rc;
    }
    if (over)
        bx_limits_merge(&limits, over);
    *ret = limits;
    return 0;
}
