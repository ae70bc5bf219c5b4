#include "skills/own.h"

#include <sys/stat.h>

#include "base/file.h"
#include "base/id.h"
#include "base/path.h"
#include "skills/front.h"
#include "skills/trust.h"

static char *own_folder(const char *state, const char *name) {
    return bx_asprintf("%s/skills/%s", state, name);
}

static const struct bx_skill *own_of(const struct bx_skills *all, const char *name) {
    for (size_t i = 0; i < all->n; i++)
        if (all->items[i].source == BX_SKILL_WORKSPACE && strcmp(all->items[i].name, name) == 0)
            return &all->items[i];
    return NULL;
}

static int check_text(const char *name, struct bx_str text, struct bx_err *err) {
    struct bx_front f;
    struct bx_str yaml;
    if (!bx_skill_name_ok(bx_str(name)))
        return bx_fail(
            err, BX_ERR_INVALID,
            "a skill's name has at most 64 letters, digits, '-', '_' and '.': not \"%.80s\"", name);
    bx_front_parse(text, name, &f);
    int rc = 0;
    if (f.problem)
        rc = bx_fail(err, BX_ERR_INVALID, "it could not be used: %.400s", f.problem);
    else if (strcmp(f.name, name))
        rc = bx_fail(err, BX_ERR_INVALID, "its front matter calls it %s: write name: %s", f.name,
                     name);
    else if (text.n - bx_front_end(text, &yaml) > BX_SKILL_BODY_MAX)
        rc = bx_fail(err, BX_ERR_LIMIT,
                     "it is larger than 1 MiB: put its material into files beside it");
    bx_front_deinit(&f);
    return rc;
}

/* A new folder takes the place of what is there, whole. */
static int swap_in(const char *fresh, const char *place, struct bx_err *err) {
    char id[BX_ID_LEN + 1];
    bx_id_new(id);
    bx_auto(bx_freep) char *dir = bx_path_dir(place), *old = bx_asprintf("%s/.old-%s", dir, id);
    int rc = bx_tree_sync(fresh, err);
    if (rc)
        return rc;
    if (rename(place, old) && errno != ENOENT)
        return bx_fail_errno(err, errno, "%s cannot be replaced", place);
    if (rename(fresh, place)) {
        int why = errno;
        (void)rename(old, place); /* what was there comes back */
        return bx_fail_errno(err, why, "%s cannot be made", place);
    }
    rc = bx_dir_sync(dir, err);
    return rc ? rc : bx_dir_remove(old, err);
}

static char *fresh_name(const char *dir) {
    char id[BX_ID_LEN + 1];
    bx_id_new(id);
    return bx_asprintf("%s/.new-%s", dir, id);
}

static int copy_along(const struct bx_skill *from, const char *place, struct bx_err *err) {
    char digest[BX_SHA256_HEX + 1];
    bx_auto(bx_freep) char *dir = bx_path_dir(place), *fresh = fresh_name(dir);
    int rc = bx_skill_copy(from, fresh, digest, err);
    if (!rc)
        rc = swap_in(fresh, place, err);
    bx_dir_remove(fresh, NULL);
    return rc;
}

/* What was recorded of it would no longer be true. */
static int record_again(const char *state, const char *name, struct bx_err *err) {
    bx_auto(bx_freep) char *own = bx_path_join(state, "skills"), *from = NULL, *old = NULL;
    bx_auto(bx_skills_freep) struct bx_skills *now =
        bx_skills_find(&(struct bx_skills_where){.workspace = own});
    const struct bx_skill *s = own_of(now, name);
    char digest[BX_SHA256_HEX + 1];
    if (!s)
        return 0;
    bx_skill_recorded(state, s, &from, &old);
    if (!old || bx_skill_digest(s, digest, err))
        return 0;
    return bx_skill_record(state, s, from, digest, err);
}

int bx_skill_put(const char *state, const struct bx_skills *all, const char *name,
                 struct bx_str text, struct bx_err *err) {
    int rc = check_text(name, text, err);
    if (rc)
        return rc;
    const struct bx_skill *own = own_of(all, name), *s = bx_skills_get(all, bx_str(name));
    bx_auto(bx_freep) char *folder = own ? bx_skill_path(own) : own_folder(state, name);
    bx_auto(bx_freep) char *parent = bx_path_dir(folder),
                           *file = bx_path_join(folder, BX_SKILL_FILE);
    rc = bx_dir_make_lasting(parent, 0700, err);
    if (!rc && !own && s && !s->problem)
        rc = copy_along(s, folder, err);
    if (!rc)
        rc = bx_dir_make_lasting(folder, 0700, err);
    if (!rc)
        rc = bx_file_write_atomic(file, text, 0600, err);
    return rc ? rc : record_again(state, name, err);
}

int bx_skill_remove(const char *state, const struct bx_skills *all, const char *name,
                    struct bx_err *err) {
    const struct bx_skill *own = own_of(all, name), *s = bx_skills_get(all, bx_str(name));
    char id[BX_ID_LEN + 1];
    bx_id_new(id);
    if (!own && !s)
        return bx_skills_missing(all, bx_str(name), err);
    if (!own && s->source == BX_SKILL_BUNDLED)
        return bx_fail(
            err, BX_ERR_DENIED,
            "the skill %s is part of the program: a skill of this name in the workspace or "
            "the project stands before it",
            name);
    if (!own) {
        bx_auto(bx_freep) char *path = bx_skill_path(s);
        return bx_fail(
            err, BX_ERR_DENIED,
            "the skill %s belongs to the %s, not to this workspace: to be rid of it delete "
            "the folder %s",
            name, s->source == BX_SKILL_ROOT ? "project" : "user", path);
    }
    bx_auto(bx_freep) char *folder = bx_skill_path(own), *parent = bx_path_dir(folder),
                           *trash = bx_path_join(state, "trash/skills"),
                           *place = bx_asprintf("%s/%s-%s", trash, name, id);
    int rc = bx_dir_make_lasting(trash, 0700, err);
    if (!rc && rename(folder, place))
        rc = bx_fail_errno(err, errno, "%s cannot be moved to the trash", folder);
    if (!rc)
        rc = bx_dir_sync(trash, err);
    if (!rc)
        rc = bx_dir_sync(parent, err);
    return rc ? rc : bx_skill_forget(state, own, err);
}

int bx_skill_say_yes(const char *state, const struct bx_skills *all, const char *name,
                     const char *digest, struct bx_err *err) {
    const struct bx_skill *s = bx_skills_get(all, bx_str(name));
    char now[BX_SHA256_HEX + 1];
    if (!s)
        return bx_skills_missing(all, bx_str(name), err);
    if (s->problem)
        return bx_fail(err, BX_ERR_INVALID, "the skill %s is broken: %.350s", name, s->problem);
    if (!s->untrusted)
        return 0;
    int rc = bx_skill_digest(s, now, err);
    if (!rc && digest && strcmp(digest, now))
        rc = bx_fail(err, BX_ERR_EXISTS,
                     "the skill %s has changed since you looked at it: read it again", name);
    return rc ? rc : bx_skill_trust(state, s, now, err);
}

/* ---- from elsewhere ---- */

/* The one skill that is in the folder. */
static struct bx_skills *read_folder(const char *folder, const struct bx_skill **ret,
                                     struct bx_err *err) {
    bx_auto(bx_skills_freep) struct bx_skills *found = bx_skills_read(folder);
    if (found->n == 1 && !found->items[0].problem) {
        *ret = &found->items[0];
        return bx_steal(&found);
    }
    if (!found->n)
        bx_fail(err, BX_ERR_NOTFOUND, "there is no SKILL.md in it");
    else if (found->n > 1)
        bx_fail(err, BX_ERR_INVALID, "there are %zu skills in it: add them one by one", found->n);
    else
        bx_fail(err, BX_ERR_INVALID, "the skill %s is broken: %.350s", found->items[0].name,
                found->items[0].problem);
    return NULL;
}

static int place_it(const struct bx_skill_adding *a, const struct bx_skill *s, const char *digest,
                    bool *ret_same, struct bx_err *err) {
    bx_auto(bx_skills_freep) struct bx_skills *there =
        bx_skills_find(&(struct bx_skills_where){.workspace = a->into});
    const struct bx_skill *old = own_of(there, s->name);
    char now[BX_SHA256_HEX + 1] = "";
    if (old && bx_skill_digest(old, now, err))
        return BX_ERR_IO;
    *ret_same = strcmp(now, digest) == 0;
    if (old && !*ret_same && !a->replace)
        return bx_fail(err, BX_ERR_EXISTS,
                       "the skill %s is there already and differs (%.12s; the new one is %.12s)",
                       s->name, now, digest);
    if (*ret_same)
        return 0;
    bx_auto(bx_freep) char *place = old ? bx_skill_path(old) : bx_path_join(a->into, s->name);
    return copy_along(s, place, err);
}

int bx_skill_add(const struct bx_skill_adding *a, char ret_name[static 65],
                 char ret_digest[static BX_SHA256_HEX + 1], bool *ret_same, struct bx_err *err) {
    const struct bx_skill *s = NULL;
    bx_auto(bx_skills_freep) struct bx_skills *found = read_folder(a->folder, &s, err);
    if (!found)
        return err ? err->code : BX_ERR_INVALID;
    snprintf(ret_name, 65, "%s", s->name);
    int rc = bx_skill_digest(s, ret_digest, err);
    if (!rc)
        rc = bx_dir_make_lasting(a->into, 0700, err);
    if (!rc)
        rc = place_it(a, s, ret_digest, ret_same, err);
    if (rc)
        return rc;
    bx_auto(bx_skills_freep) struct bx_skills *there =
        bx_skills_find(&(struct bx_skills_where){.workspace = a->into});
    const struct bx_skill *added = own_of(there, ret_name);
    return added ? bx_skill_record(a->state, added, a->from, ret_digest, err) : 0;
}
