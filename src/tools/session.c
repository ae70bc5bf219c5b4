#include "tools/session.h"

#include "base/map.h"
#include "base/thread.h"

struct bx_tool_sessions {
    size_t max;
    pthread_mutex_t lock;
    struct bx_map *by_id; /* of references; the one used last stands last */
};

static struct bx_tool_session *session_new(const char *id) {
    struct bx_tool_session *s = bx_new(struct bx_tool_session);
    s->id = bx_strdup(id);
    s->refs = 1;
    pthread_mutex_init(&s->lock, NULL);
    bx_seen_init(&s->seen);
    return s;
}

static void session_free(struct bx_tool_session *s) {
    bx_seen_deinit(&s->seen);
    bx_shell_state_deinit(&s->shell);
    bx_traffic_deinit(&s->traffic);
    pthread_mutex_destroy(&s->lock);
    bx_free((char *)(uintptr_t)s->id);
    bx_free(s);
}

struct bx_tool_session *bx_tool_session_ref(struct bx_tool_session *s) {
    __atomic_fetch_add(&s->refs, 1, __ATOMIC_RELAXED);
    return s;
}

void bx_tool_session_unref(struct bx_tool_session *s) {
    if (s && __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL) == 0)
        session_free(s);
}

static void unref(void *s) {
    bx_tool_session_unref(s);
}

struct bx_tool_sessions *bx_tool_sessions_new(size_t max) {
    struct bx_tool_sessions *all = bx_new(struct bx_tool_sessions);
    all->max = max;
    pthread_mutex_init(&all->lock, NULL);
    all->by_id = bx_map_new(unref);
    return all;
}

void bx_tool_sessions_free(struct bx_tool_sessions *all) {
    if (!all)
        return;
    bx_map_free(all->by_id);
    pthread_mutex_destroy(&all->lock);
    bx_free(all);
}

/* Lock held, so nobody can take a new reference meanwhile. */
static void make_room(struct bx_tool_sessions *all) {
    struct bx_str id;
    void *value = NULL;
    for (size_t at = 0;
         bx_map_count(all->by_id) >= all->max && bx_map_next(all->by_id, &at, &id, &value);) {
        struct bx_tool_session *s = value;
        if (__atomic_load_n(&s->refs, __ATOMIC_ACQUIRE) == 1)
            bx_map_remove(all->by_id, id);
    }
}

struct bx_tool_session *bx_tool_sessions_get(struct bx_tool_sessions *all, const char *id) {
    if (!*id)
        return NULL;
    BX_LOCKED(&all->lock);
    struct bx_tool_session *s = bx_map_get(all->by_id, bx_str(id));
    if (s) {
        bx_tool_session_ref(s); /* survives the removal */
        bx_map_remove(all->by_id, bx_str(id));
    } else {
        make_room(all);
        s = session_new(id);
    }
    bx_map_put(all->by_id, bx_str(id), bx_tool_session_ref(s));
    return s;
}
