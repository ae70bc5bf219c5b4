#include "api/retention.h"

#include "api/sessions.h"
#include "base/clock.h"
#include "base/log.h"
#include "store/retention.h"

#define FIRST_MS 2000 /* behind the first answers */
#define EVERY_MS (UINT64_C(24) * 60 * 60 * 1000)

struct bx_retention_job {
    struct bx_api *api;
    struct bx_timer *timer;
    bool working;
};

static void work(void *user) { /* a worker */
    struct bx_retention_job *job = user;
    struct bx_store *store = job->api->config->store;
    bx_auto(bx_doc_freep) struct bx_doc *settings = NULL;
    struct bx_retention r;
    struct bx_retention_done done;
    struct bx_err err = {0};
    int rc = bx_settings_load(store, &settings, &err);
    if (rc == 0)
        rc = bx_retention_read(bx_doc_root(settings), &r, &err);
    if (rc == 0)
        rc = bx_retention_apply(store, &r, bx_wall_ms(), job->api->cancel, &done, &err);
    if (rc < 0)
        bx_warn("sessions", "nothing is archived or deleted: %s", err.msg);
    else if (done.archived || done.removed)
        bx_info("sessions", "by the setting \"retention\": %zu archived, %zu deleted",
                done.archived, done.removed);
}

static void on_done(void *user) {
    struct bx_retention_job *job = user;
    job->working = false;
}

static void on_time(void *user) {
    struct bx_retention_job *job = user;
    if (!job->working)
        job->working = bx_workers_run(job->api->quick, work, on_done, job);
}

struct bx_retention_job *bx_retention_job_start(struct bx_api *api) {
    struct bx_retention_job *job = bx_new(struct bx_retention_job);
    job->api = api;
    job->timer = bx_timer_start(api->loop, FIRST_MS, EVERY_MS, on_time, job);
    return job;
}

void bx_retention_job_free(struct bx_retention_job *job) {
    bx_free(job); /* the timer goes with the loop */
}

/* ---- the route ---- */

static void write_days(struct bx_jw *w, const char *key, int64_t days) {
    bx_jw_key(w, key);
    if (days > 0)
        bx_jw_int(w, days);
    else
        bx_jw_null(w);
}

static void write_rows(struct bx_api_call *c, struct bx_jw *w, const char *key,
                       const struct bx_session_list *list) {
    bx_jw_karr(w, key);
    for (size_t i = 0; i < list->n; i++)
        bx_api_write_row(w, c->api->config->agent, &list->rows[i]);
    bx_jw_end(w);
}

int bx_route_retention(struct bx_api_call *c, struct bx_err *err) {
    struct bx_store *store = c->api->config->store;
    bx_auto(bx_doc_freep) struct bx_doc *settings = NULL;
    struct bx_retention r;
    struct bx_retention_plan plan;
    int rc = bx_settings_load(store, &settings, err);
    if (rc == 0)
        rc = bx_retention_read(bx_doc_root(settings), &r, err);
    if (rc == 0)
        rc = bx_retention_plan(store, &r, bx_wall_ms(), &plan, err);
    if (rc < 0)
        return rc;
    struct bx_jw *w = bx_call_json(c, 200);
    bx_jw_obj(w);
    write_days(w, "archive_after_days", r.archive_after_days);
    write_days(w, "delete_after_days", r.delete_after_days);
    write_rows(c, w, "would_archive", &plan.archive);
    write_rows(c, w, "would_delete", &plan.remove);
    bx_jw_end(w);
    bx_retention_plan_deinit(&plan);
    return 0;
}
