#include "agent/request.h"

#include "agent/compact.h"
#include "agent/executor.h"
#include "agent/memory.h"
#include "agent/prefix.h"
#include "agent/project.h"
#include "base/unwire.h"

struct bx_pack_place bx_agent_pack_place(struct bx_agent *a) {
    return (struct bx_pack_place){.state_dir = a->store ? bx_store_dir(a->store) : NULL,
                                  .root = a->mounts[0].host_path,
                                  .store = a->store,
                                  .registry = a->registry};
}

static void on_phase(void *user, const struct bx_model_event *ev) {
    bx_run_state(user, "starting_model", ev->text);
}

void bx_run_await_window(struct bx_run *run) {
    bx_model_await_window(run->model, on_phase, run, run->spend);
    size_t max = bx_agent_result_max(bx_model_window(run->model));
    if (run->history->result_max_bytes == max)
        return;
    struct bx_history *now = bx_history_new(run->history->session_id, max), *before = run->history;
    bx_history_catch_up(now, run->session, NULL); /* one that cannot be read is told of next */
    {
        BX_LOCKED(&run->rules_lock);
        run->history = now;
    }
    bx_history_free(before);
}

struct bx_context *bx_run_context_new(struct bx_run *run) {
    struct bx_agent *a = run->agent;
    struct bx_pack_place place = bx_agent_pack_place(a);
    const struct bx_pinned *pinned = &run->history->pinned;
    bx_auto(bx_freep) char *role = bx_run_role(run);
    bx_auto(bx_freep) char *memory = NULL;
    bx_auto(bx_freep) struct bx_context_text *packs =
        bx_alloc((pinned->packs.n + 1) * sizeof *packs);
    if (place.state_dir)
        bx_memory_read(place.state_dir, &memory,
                       NULL); /* one that cannot be read is none: the page says why */
    for (size_t i = 0; i < pinned->packs.n; i++) {
        bx_auto(bx_freep) char *problem = NULL;
        packs[i] =
            (struct bx_context_text){pinned->packs.p[i], bx_pack_text(&place, pinned->packs.p[i],
                                                                      BX_PACK_TEXT_MAX, &problem)};
    }
    struct bx_context *c =
        bx_context_new(&(struct bx_context_config){.registry = a->registry,
                                                   .root = bx_run_project_root(run),
                                                   .small = bx_model_is_small(run->model),
                                                   .window = bx_run_window(run),
                                                   .memory = memory,
                                                   .packs = packs,
                                                   .pack_count = pinned->packs.n});
    for (size_t i = 0; i < pinned->packs.n; i++)
        bx_free((char *)(uintptr_t)packs[i].text);
    bx_context_suit(c, bx_run_offers, run, role);
    return c;
}

void bx_run_request(struct bx_run *run, const char *words, struct bx_model_request *ret) {
    bx_auto(bx_freep) char *note = bx_run_note(run, words);
    bx_context_request(run->context, run->history, note, ret);
}

/* ---- the guard ---- */

void bx_run_guard_prefix(struct bx_run *run) {
    struct bx_break found;
    bx_prefix_free(run->prefix);
    run->prefix = bx_prefix_take(run->context, run->history, bx_model_id(run->model));
    if (!bx_prefix_breaks(run->history->told, run->prefix, &found))
        return;
    struct bx_event e;
    bx_event_begin(&e, run->id);
    bx_jw_kuint(&e.w, "turn", run->turn);
    bx_jw_kstr(&e.w, "part", bx_part_name(found.part));
    bx_jw_kstr(&e.w, "what", found.what);
    bx_event_append(run, &e, "cache_break", BX_BATCHED);
}

/* ---- folders with instructions of their own ---- */

static bool is_of_root(const struct bx_run *run, const char *path) {
    size_t count;
    const struct bx_mount *mounts = bx_run_mounts(run, &count);
    for (size_t i = 1; i < count; i++) {
        size_t n = strlen(mounts[i].guest_path);
        if (strncmp(path, mounts[i].guest_path, n) == 0 && (path[n] == '/' || !path[n]))
            return false;
    }
    return path[0] == '/' && path[1];
}

static bool tell_folder(struct bx_run *run, const char *guest_folder) {
    int64_t window = bx_run_window(run);
    size_t mounts, max = window > 0 ? (size_t)BX_MIN((int64_t)BX_FOLDER_MAX_BYTES,
                                                     BX_MAX(window * 3 / 20, (int64_t)600))
                                    : (size_t)BX_FOLDER_MAX_BYTES;
    bx_auto(bx_freep) char *file = NULL;
    bx_auto(bx_freep) char *text =
        bx_project_text(bx_run_mounts(run, &mounts)[0].host_path, guest_folder + 1, max, &file);
    if (!text)
        return false;
    bx_auto(bx_freep) char *told =
        bx_asprintf("<project-instructions folder=\"%s\">\nFor the work in %s these count, before "
                    "those of the folders above it:\n"
                    "%s\n</project-instructions>",
                    guest_folder, guest_folder, text);
    struct bx_event e;
    bx_event_begin(&e, run->id);
    bx_jw_kstr(&e.w, "folder", guest_folder);
    bx_jw_kstr(&e.w, "file", file);
    bx_jw_kstr(&e.w, "text", told);
    return bx_event_append(run, &e, "instructions", BX_BATCHED) == 0;
}

void bx_run_tell_folders(struct bx_run *run, const char *const *paths, size_t count) {
    if (bx_model_is_small(run->model) || bx_unwired("nested_instructions"))
        return;
    for (size_t i = 0; i < count; i++) {
        if (!is_of_root(run, paths[i]))
            continue;
        bx_auto(bx_freep) char *folder = bx_strdup(paths[i]);
        /* from the top down, so that the nearest is told last; the path itself may be a folder */
        for (char *slash = folder; slash;) {
            slash = strchr(slash + 1, '/');
            if (slash)
                *slash = '\0';
            if (run->history->pinned.told.n < BX_FOLDERS_TOLD_MAX &&
                !bx_pinned_was_told(&run->history->pinned, folder) && tell_folder(run, folder))
                bx_history_catch_up(run->history, run->session, NULL);
            if (slash)
                *slash = '/';
        }
    }
}
