#include "agent/pack.h"

#include <unistd.h>

#include "agent/history.h"
#include "agent/project.h"
#include "base/file.h"
#include "base/path.h"
#include "skills/expand.h"

#define NAME_MAX_BYTES  64
#define DESCRIPTION_MAX 1000
#define ITEM_TEXT_MAX   (64 * BX_KIB)
#define EVENT_MAX_BYTES (64 * BX_MIB)

bool bx_pack_name_ok(struct bx_str name) {
    if (!name.n || name.n > NAME_MAX_BYTES || name.p[0] == '.')
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '.' || c == '_' || c == '-'))
            return false;
    }
    return true;
}

static int check_name(const char *name, struct bx_err *err) {
    return bx_pack_name_ok(bx_str(name)) ? 0
                                         : bx_fail(err, BX_ERR_INVALID,
                                                   "\"%.80s\" cannot be a pack's name: letters, "
                                                   "digits, \".\", \"_\" and \"-\", at most 64",
                                                   name);
}

static char *path_of(const char *state_dir, const char *name) {
    return bx_asprintf("%s/packs/%s.json", state_dir, name);
}

/* ---- the shape ---- */

static const struct kind {
    const char *name, *member;
} kinds[] = {{"text", "text"}, {"file", "path"}, {"message", "session"}, {"skill", "name"}};

static int check_item(const struct bx_val *item, size_t number, struct bx_err *err) {
    struct bx_str kind = bx_val_get_str(item, "kind");
    for (size_t i = 0; i < BX_ARRAY_LEN(kinds); i++) {
        if (!bx_str_eqz(kind, kinds[i].name))
            continue;
        struct bx_str value = bx_val_get_str(item, kinds[i].member);
        if (!bx_str_trim(value).n)
            return bx_fail(err, BX_ERR_INVALID, "item %zu: a %s needs \"%s\"", number,
                           kinds[i].name, kinds[i].member);
        if (memchr(value.p, 0, value.n))
            return bx_fail(err, BX_ERR_INVALID, "item %zu: \"%s\" must not hold a NUL character",
                           number, kinds[i].member);
        if (value.n > ITEM_TEXT_MAX)
            return bx_fail(err, BX_ERR_INVALID, "item %zu: \"%s\" is longer than %zu KiB", number,
                           kinds[i].member, ITEM_TEXT_MAX / BX_KIB);
        if (bx_str_eqz(kind, "message") && bx_val_get_int(item, "seq", 0) <= 0)
            return bx_fail(err, BX_ERR_INVALID,
                           "item %zu: a message needs \"seq\", the number of its event", number);
        return 0;
    }
    return bx_fail(err, BX_ERR_INVALID, "item %zu: \"kind\" must be text, file, message or skill",
                   number);
}

static int check(const struct bx_val *pack, struct bx_err *err) {
    const struct bx_val *items = bx_val_get(pack, "items");
    size_t number = 0;
    int rc = 0;
    if (!bx_val_is(pack, BX_VAL_OBJ) || !bx_val_is(items, BX_VAL_ARR))
        return bx_fail(err, BX_ERR_INVALID, "a pack is an object with \"items\", a list");
    if (bx_val_len(items) > BX_PACK_ITEMS_MAX)
        return bx_fail(err, BX_ERR_INVALID, "a pack has at most %d items", BX_PACK_ITEMS_MAX);
    if (bx_val_get_str(pack, "description").n > DESCRIPTION_MAX)
        return bx_fail(err, BX_ERR_INVALID, "\"description\" is longer than %d bytes",
                       DESCRIPTION_MAX);
    bx_val_foreach_item (items, item) {
        rc = rc ? rc : check_item(item, ++number, err);
    }
    return rc;
}

static void write_pack(const struct bx_val *pack, struct bx_buf *out) {
    struct bx_jw w;
    bx_jw_init(&w, out);
    bx_jw_obj(&w);
    bx_jw_kstrn(&w, "description", bx_val_get_str(pack, "description"));
    bx_jw_karr(&w, "items");
    bx_val_foreach_item (bx_val_get(pack, "items"), item) {
        for (size_t i = 0; i < BX_ARRAY_LEN(kinds); i++) {
            if (!bx_str_eqz(bx_val_get_str(item, "kind"), kinds[i].name))
                continue;
            bx_jw_obj(&w);
            bx_jw_kstr(&w, "kind", kinds[i].name);
            bx_jw_kstrn(&w, kinds[i].member, bx_val_get_str(item, kinds[i].member));
            if (bx_val_get(item, "seq"))
                bx_jw_kval(&w, "seq", bx_val_get(item, "seq"));
            bx_jw_end(&w);
        }
    }
    bx_jw_end(&w);
    bx_jw_end(&w);
}

/* ---- on the disk ---- */

int bx_pack_put(const char *state_dir, const char *name, const struct bx_val *pack,
                struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(BX_PACK_JSON_MAX);
    bx_auto(bx_freep) char *folder = bx_path_join(state_dir, "packs"),
                           *path = path_of(state_dir, name);
    int rc = check_name(name, err);
    if (rc || (rc = check(pack, err)) || (rc = bx_dir_make_lasting(folder, 0700, err)))
        return rc;
    write_pack(pack, &text);
    bx_buf_addc(&text, '\n');
    if (bx_buf_failed(&text))
        return bx_fail(err, BX_ERR_LIMIT, "the pack is larger than %zu KiB",
                       BX_PACK_JSON_MAX / BX_KIB);
    return bx_file_write_atomic(path, bx_buf_str(&text), 0600, err);
}

int bx_pack_get(const char *state_dir, const char *name, struct bx_doc **ret, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(BX_PACK_JSON_MAX);
    bx_auto(bx_freep) char *path = path_of(state_dir, name);
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    int rc = check_name(name, err);
    if (rc)
        return rc;
    rc = bx_file_read(path, &text, err);
    if (rc == BX_ERR_NOTFOUND)
        return bx_fail(err, rc, "there is no pack \"%s\"", name);
    if (rc)
        return rc;
    struct bx_err why = {0};
    if (bx_doc_parse(bx_buf_str(&text), NULL, &doc, &why) || check(bx_doc_root(doc), &why))
        return bx_fail(err, BX_ERR_DAMAGED, "the pack \"%s\" (%s) cannot be used: %s", name, path,
                       why.msg);
    *ret = bx_steal(&doc);
    return 0;
}

int bx_pack_remove(const char *state_dir, const char *name, struct bx_err *err) {
    bx_auto(bx_freep) char *path = path_of(state_dir, name);
    int rc = check_name(name, err);
    if (rc)
        return rc;
    if (unlink(path) == 0) {
        bx_auto(bx_freep) char *folder = bx_path_dir(path);
        return bx_dir_sync(folder, err);
    }
    return errno == ENOENT ? bx_fail(err, BX_ERR_NOTFOUND, "there is no pack \"%s\"", name)
                           : bx_fail_errno(err, errno, "%s", path);
}

/* ---- as it is told ---- */

struct telling {
    const struct bx_pack_place *place;
    struct bx_buf out;
    char *problem;
};

static void missing(struct telling *t, const char *what, const char *why) {
    bx_buf_addf(&t->out, "(%s of this pack is missing: %s)\n", what, why);
    if (!t->problem)
        t->problem = bx_asprintf("%s: %s", what, why);
}

static void tell_file(struct telling *t, const char *path) {
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(BX_MIB);
    struct bx_err err = {0};
    if (bx_project_read(t->place->root, path, &text, &err)) {
        bx_auto(bx_freep) char *what = bx_asprintf("the file %.300s", path);
        missing(t, what, err.msg);
        return;
    }
    bx_auto(bx_freep) char *cut = bx_text_shorten(bx_buf_str(&text), ITEM_TEXT_MAX, NULL);
    bx_buf_addf(&t->out, "File %s:\n%s\n", path, cut);
}

static int read_event(struct telling *t, const char *session, int64_t seq, struct bx_doc **ret,
                      struct bx_err *err) {
    bx_auto(bx_session_unrefp) struct bx_session *s = NULL;
    bx_auto(bx_buf_deinit) struct bx_buf line = BX_BUF_INIT(EVENT_MAX_BYTES);
    struct bx_cursor cursor = {.next_seq = (uint64_t)seq, .next_delta = UINT64_MAX};
    if (!t->place->store)
        return bx_fail(err, BX_ERR_NOTFOUND, "there are no sessions here");
    int rc = bx_session_open(t->place->store, session, &s, err);
    if (rc)
        return rc;
    rc = bx_session_read(s, &cursor, 1, &line, err);
    if (rc < 0)
        return rc;
    if (rc == 0 || bx_doc_parse(bx_str_trim(bx_buf_str(&line)), NULL, ret, NULL))
        return bx_fail(err, BX_ERR_NOTFOUND, "its session has no such event");
    return 0;
}

static void tell_message(struct telling *t, const char *session, int64_t seq) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    struct bx_err err = {0};
    int rc = read_event(t, session, seq, &doc, &err);
    const struct bx_val *event = rc ? NULL : bx_doc_root(doc);
    struct bx_str type = bx_val_get_str(event, "type");
    const char *text = bx_str_eqz(type, "user") || bx_str_eqz(type, "assistant")
                           ? bx_val_get_z(event, "text")
                       : bx_str_eqz(type, "tool_result") ? bx_val_get_z(event, "content")
                                                         : NULL;
    if (!text) {
        bx_auto(bx_freep) char *what =
            bx_asprintf("message %" PRId64 " of session %.40s", seq, session);
        missing(t, what, rc ? err.msg : "it is no message with text");
        return;
    }
    bx_auto(bx_freep) char *cut = bx_text_shorten(bx_str(text), ITEM_TEXT_MAX, NULL);
    bx_buf_addf(&t->out, "From another conversation, %s:\n%s\n",
                bx_str_eqz(type, "user")        ? "the user"
                : bx_str_eqz(type, "assistant") ? "the assistant"
                                                : "a tool's output",
                cut);
}

static void tell_skill(struct telling *t, const char *name) {
    if (!t->place->registry) /* who only lists packs has none, and judges none */
        return;
    bx_auto(bx_skills_freep) struct bx_skills *skills =
        bx_registry_skills(t->place->registry, t->place->root);
    struct bx_skill_use use = {0};
    struct bx_err err = {0};
    if (bx_skill_expand(skills, bx_str(name), BX_STR_LIT(""), &use, &err)) {
        bx_auto(bx_freep) char *what = bx_asprintf("the skill %.100s", name);
        missing(t, what, err.msg);
        return;
    }
    bx_auto(bx_freep) char *cut = bx_text_shorten(bx_str(use.text), ITEM_TEXT_MAX, NULL);
    bx_buf_addf(&t->out, "Skill %s:\n%s\n", name, cut);
    bx_skill_use_deinit(&use);
}

static void tell_item(struct telling *t, const struct bx_val *item) {
    struct bx_str kind = bx_val_get_str(item, "kind");
    if (bx_str_eqz(kind, "text"))
        bx_buf_addf(&t->out, "%s\n", bx_val_get_z(item, "text"));
    else if (bx_str_eqz(kind, "file"))
        tell_file(t, bx_val_get_z(item, "path"));
    else if (bx_str_eqz(kind, "message"))
        tell_message(t, bx_val_get_z(item, "session"), bx_val_get_int(item, "seq", 0));
    else
        tell_skill(t, bx_val_get_z(item, "name"));
}

char *bx_pack_text(const struct bx_pack_place *place, const char *name, size_t max_bytes,
                   char **ret_problem) {
    struct telling t = {.place = place, .out = BX_BUF_INIT(16 * BX_MIB)};
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    struct bx_err err = {0};
    if (bx_pack_get(place->state_dir, name, &doc, &err)) {
        t.problem = bx_strdup(err.msg);
        bx_buf_addf(&t.out, "(The pack %.64s is missing: %s)\n", name, err.msg);
    } else {
        const char *description = bx_val_get_z(bx_doc_root(doc), "description");
        if (description && *description)
            bx_buf_addf(&t.out, "%s\n\n", description);
        bx_val_foreach_item (bx_val_get(bx_doc_root(doc), "items"), item) {
            tell_item(&t, item);
        }
    }
    char *text =
        bx_text_shorten(bx_buf_str(&t.out), BX_MIN(max_bytes, (size_t)BX_PACK_TEXT_MAX), NULL);
    bx_buf_deinit(&t.out);
    *ret_problem = t.problem;
    return text;
}

/* ---- the list ---- */

typedef BX_VEC(char *) names_t;

static int add_name(void *user, const char *file) {
    names_t *names = user;
    struct bx_str s = bx_str(file);
    if (bx_str_ends(s, ".json") && bx_pack_name_ok(bx_str_slice(s, 0, s.n - 5)))
        bx_vec_push(names, bx_str_dup(bx_str_slice(s, 0, s.n - 5)));
    return 0;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void write_row(const struct bx_pack_place *place, const char *name, struct bx_jw *w) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    bx_auto(bx_freep) char *problem = NULL;
    bx_auto(bx_freep) char *text = bx_pack_text(place, name, BX_PACK_TEXT_MAX, &problem);
    bx_pack_get(place->state_dir, name, &doc, NULL);
    const struct bx_val *root = doc ? bx_doc_root(doc) : NULL;
    bx_jw_obj(w);
    bx_jw_kstr(w, "name", name);
    bx_jw_kstrn(w, "description", bx_val_get_str(root, "description"));
    bx_jw_kint(w, "tokens", bx_tokens_estimate(bx_str(text)));
    bx_jw_kuint(w, "items", bx_val_len(bx_val_get(root, "items")));
    if (problem)
        bx_jw_kstr(w, "problem", problem);
    bx_jw_end(w);
}

void bx_pack_list(const struct bx_pack_place *place, struct bx_jw *w) {
    bx_auto(bx_freep) char *folder = bx_path_join(place->state_dir, "packs");
    names_t names = {0};
    bx_dir_each(folder, add_name, &names, NULL);
    if (names.n)
        qsort(names.p, names.n, sizeof names.p[0], by_text);
    for (size_t i = 0; i < names.n; i++) {
        write_row(place, names.p[i], w);
        bx_free(names.p[i]);
    }
    bx_vec_free(&names);
}
