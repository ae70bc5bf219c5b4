#include "agent/context.h"
#include "agent/executor.h"
#include "agent/internal.h"

#include <sys/stat.h>

#include "base/file.h"
#include "base/id.h"
#include "base/path.h"
#include "skills/catalogue.h"
#include "skills/expand.h"

/* Skills in a run: from when on one is active, what its tools leave, where its files are, and which
 * ones the user's message or a touched file proposes. */

#define GUEST_SECOND "/.skills" /* where the root, or a mount, has something of the first name */
#define PROPOSED_MAX 5          /* in one turn */

static const char *root_of(const struct bx_run *run) {
    size_t count;
    return bx_run_mounts(run, &count)[0].host_path;
}

struct bx_skills *bx_run_skills(struct bx_run *run) {
    return bx_registry_skills(run->agent->registry, root_of(run));
}

/* ---- its files, read-only and apart from where they came from ---- */

/* One folder a root, <state>/skill-files/<digest of the root's path>: `files` is what tools see,
 * beside it are the digests of what was copied and the root's path. All skills of a root are in one
 * mount, so that its workers are the same whichever of them are loaded. */
static char *tree_of(const struct bx_run *run) {
    const char *state = bx_registry_state(run->agent->registry);
    char hex[BX_SHA256_HEX + 1];
    if (!state)
        return NULL;
    bx_sha256_hex_of(root_of(run), strlen(root_of(run)), hex);
    return bx_asprintf("%s/skill-files/%.16s", state, hex);
}

static bool has_text(const char *path, const char *text) {
    bx_auto(bx_buf_deinit) struct bx_buf got = BX_BUF_INIT(16 * BX_KIB);
    return bx_file_read(path, &got, NULL) == 0 && bx_str_eqz(bx_buf_str(&got), text);
}

static int make_tree(const struct bx_run *run, const char *tree, struct bx_err *err) {
    bx_auto(bx_freep) char *files = bx_path_join(tree, "files"), *root = bx_path_join(tree, "root");
    int rc = bx_dir_make(files, 0700, err);
    return rc || has_text(root, root_of(run))
               ? rc
               : bx_file_write_atomic(root, bx_str(root_of(run)), 0600, err);
}

/* A copy takes its place whole. */
static int copy_into(const struct bx_skill *s, const char *tree, const char *mark,
                     struct bx_err *err) {
    char id[BX_ID_LEN + 1], digest[BX_SHA256_HEX + 1];
    bx_id_new(id);
    bx_auto(bx_freep) char *fresh = bx_asprintf("%s/new-%s", tree, id),
                           *old = bx_asprintf("%s/old-%s", tree, id),
                           *place = bx_asprintf("%s/files/%s", tree, s->name);
    int rc = bx_skill_copy(s, fresh, digest, err);
    if (!rc && s->in_root && s->approved && strcmp(digest, s->approved))
        rc = bx_fail(err, BX_ERR_DENIED, "the skill %s has changed just now: load it again",
                     s->name);
    if (!rc && rename(place, old) && errno != ENOENT)
        rc = bx_fail_errno(err, errno, "%s cannot be replaced", place);
    if (!rc && rename(fresh, place))
        rc = bx_fail_errno(err, errno, "%s cannot be made", place);
    if (!rc)
        rc = bx_file_write_atomic(mark, bx_str(digest), 0600, err);
    bx_dir_remove(fresh, NULL);
    bx_dir_remove(old, NULL);
    return rc;
}

static int stage(const struct bx_skill *s, const char *tree, struct bx_err *err) {
    char digest[BX_SHA256_HEX + 1];
    bx_auto(bx_freep) char *mark = bx_asprintf("%s/%s.digest", tree, s->name),
                           *place = bx_asprintf("%s/files/%s", tree, s->name);
    int rc = bx_skill_digest(s, digest, err);
    if (rc || (has_text(mark, digest) && bx_file_exists(place)))
        return rc;
    return copy_into(s, tree, mark, err);
}

/* The trees of worktrees and folders that are gone. */
static int sweep_one(void *user, const char *name) {
    bx_auto(bx_freep) char *tree = bx_path_join(user, name), *file = bx_path_join(tree, "root");
    bx_auto(bx_buf_deinit) struct bx_buf root = BX_BUF_INIT(16 * BX_KIB);
    if (bx_file_read(file, &root, NULL) || !bx_file_exists(bx_buf_z(&root)))
        bx_dir_remove(tree, NULL);
    return 0;
}

void bx_agent_sweep_skill_files(struct bx_agent *a) {
    const char *state = bx_registry_state(a->registry);
    bx_auto(bx_freep) char *all = state ? bx_path_join(state, "skill-files") : NULL;
    if (all && bx_file_exists(all))
        bx_dir_each(all, sweep_one, all, NULL);
}

static bool has_files(const struct bx_skill *s) {
    char *name[1];
    size_t n = bx_skill_files(s, name, 1);
    if (n)
        bx_free(name[0]);
    return n > 0;
}

/* "/skills" is often a folder of the project itself: that one must stay to be seen. */
static const char *choose_mount(const struct bx_run *run) {
    size_t count;
    const struct bx_mount *mounts = bx_run_mounts(run, &count);
    bx_auto(bx_freep) char *own = bx_path_join(mounts[0].host_path, BX_SKILL_MOUNT + 1);
    struct stat st;
    bool taken = lstat(own, &st) == 0;
    for (size_t i = 1; i < count && !taken; i++)
        taken = bx_path_is_under(mounts[i].guest_path, BX_SKILL_MOUNT);
    return taken ? GUEST_SECOND : BX_SKILL_MOUNT;
}

/* Those of the skill and of all that it uses. ret_mount: NULL when none has any. */
static int stage_all(struct bx_run *run, struct bx_skill_use *use, char **ret_mount,
                     struct bx_err *err) {
    bx_auto(bx_freep) char *tree = tree_of(run);
    size_t staged = 0;
    int rc = tree ? make_tree(run, tree, err) : 0;
    for (size_t i = 0; tree && !rc && i < use->all_count; i++) {
        if (!has_files(use->all[i]))
            continue;
        rc = stage(use->all[i], tree, err);
        staged++;
    }
    if (rc || !staged)
        return rc;
    BX_LOCKED(&run->rules_lock);
    const char *mount = run->history->active.mount;
    *ret_mount = bx_strdup(mount ? mount : choose_mount(run));
    bx_skill_move(use, *ret_mount);
    return 0;
}

void bx_run_mount_skills(struct bx_run *run, struct bx_arena *arena, struct bx_grant *g) {
    const char *mount = run->history->active.mount;
    if (!mount || g->mount_count == BX_MOUNTS_MAX)
        return;
    bx_auto(bx_freep) char *tree = tree_of(run);
    for (size_t i = 0; i < g->mount_count; i++)
        if (strcmp(g->mounts[i].guest_path, mount) == 0)
            return; /* map_dirs put something else there: the user's word counts */
    bx_auto(bx_freep) char *files = tree ? bx_path_join(tree, "files") : NULL;
    if (!files || !bx_file_exists(files))
        return;
    struct bx_mount *all = bx_arena_alloc(arena, (g->mount_count + 1) * sizeof *all);
    for (size_t i = 0; i < g->mount_count; i++)
        all[i] = g->mounts[i];
    all[g->mount_count] = (struct bx_mount){.host_path = bx_arena_str(arena, bx_str(files)),
                                            .guest_path = bx_arena_str(arena, bx_str(mount)),
                                            .writable = false};
    g->mounts = all;
    g->mount_count++;
}

/* ---- active ---- */

static void narrow(struct bx_run *run, const char *skill, const char *const *tools) {
    bx_auto(bx_freep) char *by = bx_asprintf("skill %s", skill);
    if (tools)
        bx_run_narrow(
            run, &(struct bx_narrow){.by = by, .tools = tools, .max_level = BX_LEVEL_DANGEROUS});
    else
        bx_run_widen(run, by);
}

static void write_begin(struct bx_jw *w, const struct bx_skill_use *use, bool by_user,
                        const char *mount) {
    bx_jw_kstr(w, "skill", use->skill->name);
    bx_jw_kbool(w, "active", true);
    bx_jw_kstr(w, "by", by_user ? "user" : "model");
    bx_jw_kstr(w, "source", bx_skill_source_name(use->skill->source));
    if (use->tools) {
        bx_jw_karr(w, "tools");
        for (size_t i = 0; use->tools[i]; i++)
            bx_jw_z(w, use->tools[i]);
        bx_jw_end(w);
    } else {
        bx_jw_key(w, "tools");
        bx_jw_null(w);
    }
    if (mount)
        bx_jw_kstr(w, "mount", mount);
}

static char *folder_of(const struct bx_skill_use *use, const char *mount) {
    return mount && has_files(use->skill) ? bx_asprintf("%s/%s", mount, use->skill->name) : NULL;
}

int bx_run_introduce_skill(struct bx_run *run, struct bx_skill_use *use, struct bx_err *err) {
    struct bx_buf text = BX_BUF_INIT(2 * BX_SKILL_EXPANDED_MAX);
    bx_auto(bx_freep) char *mount = NULL;
    int rc = stage_all(run, use, &mount, err);
    if (rc)
        return rc;
    bx_auto(bx_freep) char *folder = folder_of(use, mount);
    bx_skill_introduce(use, folder, true, &text);
    bx_buf_addf(&text, "\n\n%s", use->text);
    bx_free(use->text);
    use->text = bx_buf_steal(&text);
    return 0;
}

int bx_run_begin_skill(struct bx_run *run, const char *call, struct bx_skill_use *use,
                       char **ret_folder, struct bx_err *err) {
    bx_auto(bx_freep) char *mount = NULL;
    struct bx_event e;
    int rc = stage_all(run, use, &mount, err);
    if (rc)
        return rc;
    bx_event_begin(&e, run->id);
    if (call)
        bx_jw_kstr(&e.w, "call", call);
    write_begin(&e.w, use, !call, mount);
    if (bx_event_append(run, &e, "skill", BX_DURABLE))
        return bx_fail(err, BX_ERR_IO, "it could not be recorded");
    bool stays = false;
    {
        BX_LOCKED(&run->rules_lock);
        const struct bx_active_skill *before =
            bx_active_get(&run->history->active, use->skill->name);
        stays = call && before && before->by_user;
    }
    if (!stays || use->tools)
        narrow(run, use->skill->name, use->tools);
    *ret_folder = folder_of(use, mount);
    return 0;
}

int bx_run_end_skill(struct bx_run *run, const char *call, const char *skill, struct bx_err *err) {
    struct bx_event e;
    bool active, by_user;
    {
        BX_LOCKED(&run->rules_lock);
        if (bx_history_catch_up(run->history, run->session, err))
            return BX_ERR_IO;
        const struct bx_active_skill *s = bx_active_get(&run->history->active, skill);
        active = s != NULL;
        by_user = s && s->by_user;
    }
    if (!active)
        return bx_fail(err, BX_ERR_INVALID, "The skill %.100s is not active.", skill);
    if (by_user)
        return bx_fail(
            err, BX_ERR_DENIED,
            "The user began the skill %.100s: it ends with this run. When something else "
            "is needed, say so in your answer.",
            skill);
    bx_event_begin(&e, run->id);
    bx_jw_kstr(&e.w, "call", call);
    bx_jw_kstr(&e.w, "skill", skill);
    bx_jw_kbool(&e.w, "active", false);
    bx_jw_key(&e.w, "tools");
    bx_jw_null(&e.w);
    if (bx_event_append(run, &e, "skill", BX_DURABLE))
        return bx_fail(err, BX_ERR_IO, "it could not be recorded");
    narrow(run, skill, NULL);
    return 0;
}

void bx_run_restore_skills(struct bx_run *run) {
    const struct bx_active_skills *a = &run->history->active;
    for (size_t i = 0; i < a->now.n; i++)
        narrow(run, a->now.p[i].name, a->now.p[i].tools);
}

/* ---- proposals ---- */

static bool is_new(struct bx_run *run, const char *skill) {
    for (size_t i = 0; i < run->proposed.n; i++)
        if (strcmp(run->proposed.p[i], skill) == 0)
            return false;
    return !bx_active_get(&run->history->active, skill);
}

static void propose(struct bx_run *run, const struct bx_skill *s, unsigned turn) {
    if (run->propose_turn != turn)
        bx_texts_free(&run->to_propose);
    run->propose_turn = turn;
    if (run->to_propose.n < PROPOSED_MAX && is_new(run, s->name)) {
        bx_vec_push(&run->proposed, bx_strdup(s->name));
        bx_vec_push(&run->to_propose, bx_strdup(s->name));
    }
}

void bx_run_propose_for_text(struct bx_run *run, struct bx_str message) {
    if (bx_model_is_small(run->model))
        return; /* it is not offered the tool Skill */
    if (!run->skills)
        run->skills = bx_run_skills(run);
    for (size_t i = 0; i < run->skills->n; i++)
        if (bx_skill_triggered_by_text(&run->skills->items[i], message))
            propose(run, &run->skills->items[i], BX_MAX(run->turn, 1u));
}

void bx_run_propose_for_call(struct bx_run *run, const struct bx_call *call) {
    for (size_t i = 0; run->skills && i < run->skills->n; i++)
        for (size_t k = 0; k < call->reach.path_count; k++)
            if (bx_skill_triggered_by_path(&run->skills->items[i], call->reach.paths[k]))
                propose(run, &run->skills->items[i], run->turn + 1);
}

void bx_run_add_proposals(struct bx_run *run, struct bx_buf *out) {
    if (!run->to_propose.n || run->propose_turn != run->turn)
        return;
    bx_buf_addf(out,
                "%sThese skills may fit what is being done; load one with the tool Skill if it "
                "does:",
                out->size ? "\n\n" : "");
    for (size_t i = 0; i < run->to_propose.n; i++) {
        const struct bx_skill *s = bx_skills_get(run->skills, bx_str(run->to_propose.p[i]));
        bx_buf_addf(out, "\n- %s: ", run->to_propose.p[i]);
        if (s)
            bx_skill_catalogue_line(s, out);
    }
}

void bx_run_skills_deinit(struct bx_run *run) {
    bx_texts_free(&run->proposed);
    bx_texts_free(&run->to_propose);
    bx_skills_free(run->skills);
}
